"""What a report says beside the trials."""

from __future__ import annotations

import json
import time

import pytest
from support.small_study import saved

from experiments.reporting.report.facts import settings
from experiments.tuning.study.job_log import FILE


@pytest.fixture(autouse=True)
def kathmandu(monkeypatch):
    """The reader is in a time zone that the search was not in."""
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_beginning_is_in_the_readers_time_as_the_timeline_is(tmp_path):
    study = saved(tmp_path)
    entries = [
        {"event": "start", "trial": 0, "time": 1_767_323_040.0},  # 2026-01-02 03:04 UTC
        {"event": "epoch", "trial": 0, "epoch": 1, "seconds": 1.0, "time": 1_767_323_050.0},
    ]
    (tmp_path / FILE).write_text("\n".join(map(json.dumps, entries)))
    assert settings(study)["began"] == "2026-01-02 08:49 +0545"


def test_a_study_without_a_log_of_jobs_has_what_optuna_knows(tmp_path):
    assert settings(saved(tmp_path))["began"] == "2026-01-02 03:04"
    assert settings(saved(tmp_path, trials=[]))["began"] == "not yet"
