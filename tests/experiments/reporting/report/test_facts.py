"""What a report says beside the trials."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from support.small_study import saved

from experiments.reporting.report.facts import finalists_of, settings
from experiments.tuning.study.job_log import FILE
from experiments.tuning.study.summary import RecipeSummary


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


def test_what_the_data_decided_and_the_recipe_are_settings(tmp_path):
    study = saved(tmp_path)
    assert not {"by the data", "recipe"} & settings(study).keys()
    decided = {"n_layers": "1 to 2 (high: items / 9)", "softmax_samples": "left out"}
    recipe = RecipeSummary(name="narm", number=1, why_not=None)
    summary = replace(study.summary, space={"by_data": decided}, recipe=recipe)
    told = settings(replace(study, summary=summary))
    assert told["by the data"] == "n_layers 1 to 2 (high: items / 9); softmax_samples left out"
    assert told["recipe"] == "narm, trial 1"
    summary = replace(summary, recipe=replace(recipe, number=None, why_not="it is the default configuration here"))
    told = settings(replace(study, summary=summary))
    assert told["recipe"] == "narm, not tried: it is the default configuration here"


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"finalists": 4, "finalist_seeds": 2}, "4, 2 seeds each"),  # an earlier version, without a race
        ({"finalists": 4, "finalist_seeds": 4, "finalist_runs": 10}, "4, 4 seeds each at most, 10 runs at most"),
        ({"finalists": 4, "finalist_seeds": 4, "finalist_runs": None}, "4, 4 seeds each at most"),
    ],
)
def test_how_many_finalists_there_are_to_be(record, words):
    assert finalists_of(record) == words
