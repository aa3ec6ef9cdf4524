"""Finalists get their seeds as the race says, each run once, and a second time after a failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.tuning.engine.engine import Idle
from experiments.tuning.engine.finalist_queue import FinalistQueue
from experiments.tuning.study.finalist_runs import FinalistRuns
from experiments.tuning.worker.jobs import Finalist, FinalistJob
from experiments.tuning.worker.reports import FinalistRun, JobFailure
from narm.config import Config

NAN = JobFailure(reason="ArithmeticError: the loss is nan", details="a traceback", worth_a_retry=True)
FINALISTS = [Finalist(number=3, options={"hidden_size": 4}), Finalist(number=0, options={}, is_default=True)]
MANY = [*(Finalist(number=number, options={"hidden_size": number}) for number in (5, 6, 7)), FINALISTS[1]]
WORTH = {3: 0.5, 0: 0.45, 5: 0.5, 6: 0.49, 7: 0.3}


@pytest.fixture
def results(tmp_path: Path) -> FinalistRuns:
    return FinalistRuns(tmp_path, Config(), "a fingerprint")


@pytest.fixture
def make(results: FinalistRuns) -> Callable[..., tuple[FinalistQueue, list[object]]]:
    def make_queue(**changes: Any) -> tuple[FinalistQueue, list[object]]:
        told: list[object] = []
        settings = {"finalists": FINALISTS, "seeds": [11, 12], "runs_at_most": 99, "trials": {}, **changes}
        return FinalistQueue(results=results, objective="mrr_at_20", on_done=told.append, **settings), told

    return make_queue


def next_job(queue: FinalistQueue) -> FinalistJob:
    job = queue.next_job()
    assert isinstance(job, FinalistJob)
    return job


def run_of(job: FinalistJob, worth: Mapping[int, float] = WORTH) -> FinalistRun:
    luck = np.random.default_rng([job.finalist.number, job.seed]).normal(scale=0.02)
    return FinalistRun(
        finalist=job.finalist,
        seed=job.seed,
        epochs=1,
        best_epoch=1,
        seconds=0.0,
        valid={"mrr_at_20": worth[job.finalist.number] + luck},
        test={},
        ranks=np.arange(3),
    )


def train(queue: FinalistQueue, at_most: int = 99) -> list[tuple[int, int]]:
    """Train one after the other; which finalist with which seed."""
    trained: list[tuple[int, int]] = []
    while len(trained) < at_most and isinstance(job := queue.next_job(), FinalistJob):
        queue.trained(run_of(job))
        trained.append((job.finalist.number, job.seed))
    return trained


def who(found: Any) -> list[tuple[int, int]]:
    return [(one.finalist.number, one.seed) for one in found]


def test_every_finalist_has_its_first_seed_before_the_race_begins_and_each_run_is_kept(make, results):
    queue, told = make()
    jobs = [next_job(queue), next_job(queue)]
    assert who(jobs) == [(3, 11), (0, 11)]
    for job in jobs:
        queue.trained(run_of(job))
    train(queue)
    assert queue.next_job() is Idle.DONE
    assert told == queue.runs
    assert sorted(who(queue.runs)) == [(0, 11), (0, 12), (3, 11), (3, 12)]
    assert all(results.path(finalist, seed).exists() for finalist in FINALISTS for seed in (11, 12))


def test_each_seed_is_told_with_its_reason_and_so_is_the_end(make):
    queue, _ = make()
    train(queue)
    assert [(each.number, each.seed) for each in queue.allocations] == who(queue.runs)
    assert queue.allocations[0].reason == "its first seed"
    assert all(each.reason for each in queue.allocations)
    assert queue.why_enough == "the winner has all its seeds"


def test_runs_are_no_more_than_allowed(make):
    queue, _ = make(finalists=MANY, seeds=range(20), runs_at_most=12)
    train(queue)
    assert len(queue.runs) == 12
    assert queue.why_enough == "all runs are used"


def test_while_runs_are_in_flight_they_count_and_the_end_waits_for_them(make):
    queue, _ = make(finalists=MANY, seeds=range(20), runs_at_most=6)
    train(queue, at_most=4)
    jobs = [next_job(queue), next_job(queue)]
    assert queue.next_job() is Idle.WAIT
    for job in jobs:
        queue.trained(run_of(job))
    assert queue.next_job() is Idle.DONE


def test_until_there_is_a_result_no_second_seed_is_given(make):
    queue, _ = make(finalists=FINALISTS[:1])
    next_job(queue)
    assert queue.next_job() is Idle.WAIT


@pytest.mark.parametrize("trained_before", range(1, 16))
def test_a_race_that_was_interrupted_comes_to_the_same_end(make, results, trained_before):
    whole, _ = make(finalists=MANY, seeds=range(20), runs_at_most=16, trials={5: 0.52, 6: 0.53})
    train(whole)
    for finalist in MANY:
        for seed in range(20):
            results.path(finalist, seed).unlink(missing_ok=True)
    before, _ = make(finalists=MANY, seeds=range(20), runs_at_most=16, trials={5: 0.52, 6: 0.53})
    train(before, at_most=trained_before)
    next_job(before) if trained_before < 16 else None  # in flight when the session ends
    again, told = make(finalists=MANY, seeds=range(20), runs_at_most=16, trials={5: 0.52, 6: 0.53})
    assert who(told) == who(again.runs) == who(whole.runs)[:trained_before]
    train(again)
    assert again.allocations == whole.allocations
    assert again.why_enough == whole.why_enough


def test_what_an_earlier_session_trained_out_of_turn_counts_too(make):
    before, _ = make(finalists=MANY, seeds=range(4), runs_at_most=12)
    jobs = [next_job(before) for _ in range(4)]
    before.trained(run_of(jobs[3]))  # the others were in flight when the session ended
    again, told = make(finalists=MANY, seeds=range(4), runs_at_most=12)
    assert who(told) == [(0, 0)]
    assert again.allocations[0].reason == "an earlier session trained it"
    train(again)
    assert len(again.runs) == len(set(who(again.runs))) == 12


def test_when_the_time_is_over_no_more_is_begun_than_the_first_seeds(make):
    queue, _ = make(finalists=MANY, seeds=range(20), is_time_over=lambda: True)
    assert train(queue) == [(5, 0), (6, 0), (7, 0), (0, 0)]
    assert queue.why_enough == "the time for finalists is over"


def test_a_failure_is_tried_once_more_and_then_told(make):
    queue, told = make()
    jobs = [next_job(queue) for _ in range(2)]
    queue.failed(jobs[0], NAN)
    again = next_job(queue)
    assert (who([again]), again.attempt) == ([(3, 11)], 2)
    queue.failed(again, NAN)
    (failure,) = queue.failures
    assert told == [failure]
    assert (failure.number, failure.seed, failure.reason) == (3, 11, "ArithmeticError: the loss is nan")


def test_what_would_fail_again_is_not_tried_again_and_what_failed_is_out(make):
    queue, _ = make()
    queue.failed(next_job(queue), replace(NAN, worth_a_retry=False))
    assert len(queue.failures) == 1
    assert train(queue) == [(0, 11), (0, 12)]
    assert queue.next_job() is Idle.DONE


def test_where_all_fail_there_is_an_end(make):
    queue, _ = make()
    while isinstance(job := queue.next_job(), FinalistJob):
        queue.failed(job, replace(NAN, worth_a_retry=False))
    assert len(queue.failures) == 4
    assert queue.next_job() is Idle.DONE
    assert queue.runs == []


def test_a_full_disk_does_not_cost_what_is_known(make, monkeypatch, caplog):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FinalistRuns, "write", full)
    queue, told = make()
    queue.trained(run_of(next_job(queue)))
    assert len(told) == 1
    assert "the result of trial 3 is not kept: No space left on device" in caplog.text
