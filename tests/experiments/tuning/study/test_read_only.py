"""A database that may not be written can be read."""

from __future__ import annotations

import os
from pathlib import Path

import optuna
import pytest

from experiments.tuning.study.database_errors import DATABASE_ERRORS
from experiments.tuning.study.read_only import for_reading
from experiments.tuning.study.storage import closing_study, load_study, open_storage


@pytest.mark.parametrize("name", ["studies.db", "odd %41 #1&.db"])
def test_a_database_that_may_not_be_written_is_opened_for_reading(tmp_path, name, monkeypatch):
    url = f"sqlite:///{tmp_path}/{name}"
    with closing_study(optuna.create_study(study_name="s", storage=open_storage(url))) as study:
        study.add_trial(optuna.create_trial(value=1.0))
    with monkeypatch.context() as patched:  # root may write anything
        patched.setattr(os, "access", lambda path, mode: False)
        readable = for_reading(url)
    assert readable != url
    with closing_study(load_study("s", readable)) as study:
        assert [trial.value for trial in study.trials] == [1.0]
    with closing_study(load_study("s", readable)) as study, pytest.raises(DATABASE_ERRORS):
        study.set_user_attr("a", 1)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("url", ["postgresql://host/name", "sqlite:///no/such/file.db"])
def test_any_other_address_stays(url):
    assert for_reading(url) == url


def test_a_database_that_may_be_written_is_opened_as_ever(tmp_path):
    Path(tmp_path / "studies.db").touch()
    assert for_reading(f"sqlite:///{tmp_path}/studies.db") == f"sqlite:///{tmp_path}/studies.db"
