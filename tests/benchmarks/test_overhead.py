"""Where the time of a search went, from what its outbox says."""

from __future__ import annotations

import pytest

from benchmarks.overhead import measure
from experiments.tracking.update import Update
from experiments.tuning.study.job_log import read_jobs


def update(run: str, seconds: float, **what: object) -> Update:
    return Update(run=run, time=round(1000 * seconds), **what)


def begun(run: str, at: float) -> Update:
    return update(run, at, status="RUNNING")


def epoch(run: str, at: float, seconds: float) -> Update:
    return update(run, at, metrics={"epoch_seconds": seconds, "train_loss": 1.0})


SEARCH = [
    begun("study", 0),
    begun("0", 10),
    begun("1", 11),
    epoch("0", 20, 6),  # its first step at 14
    epoch("1", 21, 5),  # at 16
    update("1", 21, status="SCHEDULED"),
    begun("2", 21),
    epoch("2", 26, 4),  # at 22: the slot stood empty for 1 s
    epoch("0", 31, 10),  # 1 s after the first report
    begun("1", 31),
    epoch("1", 36, 3),  # at 33, 7 s after trial 2: but all trials had begun by then
]


def test_the_parts_of_a_search_add_up_to_the_time_of_its_slots():
    overhead = measure(read_jobs(SEARCH), slots=2)
    assert overhead.wall == 26  # from 10 to 36
    assert overhead.training == 6 + 5 + 4 + 10 + 3
    assert overhead.first_start == 4 + 6
    assert overhead.between_trials == [1]
    assert overhead.between_epochs == 1
    assert overhead.tail == 7 + 5
    parts = overhead.training + overhead.first_start + sum(overhead.between_trials) + overhead.between_epochs
    assert parts + overhead.tail == 2 * overhead.wall
    assert overhead.not_training == pytest.approx(1 - 28 / (2 * 26 - 12))
