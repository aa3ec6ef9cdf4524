"""How settings are read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.tuning.study.setting import Derived
from experiments.tuning.study.setting_rules import (
    read_duration,
    read_finalist_epochs,
    read_max_failed,
    stored_tracking_uri,
)
from experiments.tuning.worker.addresses import located, portable, sqlite_url
from narm.errors import InputError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("10m", 600), ("2h", 7200), ("none", None)]
)
def test_durations(text, seconds):
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "10 parsecs", "1h30m", "nan"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(InputError, match="write 90s, 10m, 2h or none"):
        read_duration(text)


@pytest.mark.parametrize(("text", "count"), [("3", 3), ("0.5", 10), ("25%", 5), ("none", None), ("0", 0)])
def test_failures_are_counted_or_a_share(text, count):
    read = read_max_failed(text)
    assert (read.rule({"trials": 20}) if isinstance(read, Derived) else read) == count


@pytest.mark.parametrize("text", ["", "-1", "1.5", "120%", "many"])
def test_what_is_no_number_of_failures_is_refused(text):
    with pytest.raises(InputError, match=r"write 3, 0\.5, 50% or none"):
        read_max_failed(text)


def test_the_database_that_an_earlier_version_kept_in_the_folder_moves_with_it(tmp_path):
    gone, there = tmp_path / "gone", tmp_path / "there"
    for folder in (there, tmp_path / "now"):
        folder.mkdir()
        (folder / "mlflow.db").touch()
    own = f"sqlite:///{tmp_path}/now/mlflow.db"
    assert stored_tracking_uri(f"sqlite:///{gone}/mlflow.db", tmp_path / "now") == own
    assert stored_tracking_uri("sqlite:///{output}/mlflow.db", tmp_path / "now") == own
    for kept in (f"sqlite:///{there}/mlflow.db", f"sqlite:///{gone}/mine.db", "http://h:5000"):
        assert stored_tracking_uri(kept, tmp_path / "now") == kept


@given(st.lists(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1), max_size=3))
def test_any_place_within_the_folder_of_studies_moves_with_it(names):
    inside = [name for name in names if name not in (".", "..")]
    before, after = Path("/no/such/runs"), Path("/no/such/50 % moved?")
    assert located(portable(str(before.joinpath("x", *inside)), before), after) == str(after.joinpath("x", *inside))
    stored = portable(sqlite_url(before.joinpath("x", *inside)), before)
    assert located(stored, after) == sqlite_url(after.joinpath("x", *inside))


@pytest.mark.parametrize(("text", "epochs"), [("auto", None), ("50", 50)])
def test_epochs_of_a_finalist(text, epochs):
    assert read_finalist_epochs(text) == epochs


@pytest.mark.parametrize("text", ["", "-1", "1.5", "none", "many"])
def test_what_is_no_number_of_epochs_is_refused(text):
    with pytest.raises(InputError, match=f"finalist epochs: '{text}' is no number of epochs: write 50, or auto"):
        read_finalist_epochs(text)
