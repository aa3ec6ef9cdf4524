"""Every finalist with every seed, once; a second time after a failure."""

from __future__ import annotations

from collections.abc import Callable
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


@pytest.fixture
def results(tmp_path: Path) -> FinalistRuns:
    return FinalistRuns(tmp_path, Config(), "a fingerprint")


@pytest.fixture
def make(results: FinalistRuns) -> Callable[[], tuple[FinalistQueue, list[object]]]:
    def make_queue() -> tuple[FinalistQueue, list[object]]:
        told: list[object] = []
        queue = FinalistQueue(FINALISTS, [11, 12], results, on_done=told.append)
        return queue, told

    return make_queue


def next_job(queue: FinalistQueue) -> FinalistJob:
    job = queue.next_job()
    assert isinstance(job, FinalistJob)
    return job


def run_of(job: FinalistJob) -> FinalistRun:
    return FinalistRun(
        finalist=job.finalist, seed=job.seed, epochs=1, best_epoch=1, seconds=0.0, valid={}, test={}, ranks=np.arange(3)
    )


def who(found: Any) -> list[tuple[int, int]]:
    return [(one.finalist.number, one.seed) for one in found]


def test_seeds_go_round_and_each_is_kept(make, results):
    queue, told = make()
    jobs = [next_job(queue) for _ in range(4)]
    assert who(jobs) == [(3, 11), (0, 11), (3, 12), (0, 12)]
    assert queue.next_job() is Idle.WAIT
    for job in jobs:
        queue.trained(run_of(job))
    assert queue.next_job() is Idle.DONE
    assert told == queue.runs
    assert who(queue.runs) == who(jobs)
    assert all(results.path(job.finalist, job.seed).exists() for job in jobs)


def test_what_an_earlier_session_trained_is_not_trained_again(make):
    queue, _ = make()
    first = next_job(queue)
    next_job(queue)  # in flight when the session ends
    queue.trained(run_of(first))
    again, told = make()
    assert who(told) == who(again.runs) == [(3, 11)]
    assert who(next_job(again) for _ in range(3)) == [(0, 11), (3, 12), (0, 12)]


def test_a_failure_is_tried_once_more_and_then_told(make):
    queue, told = make()
    jobs = [next_job(queue) for _ in range(4)]
    queue.failed(jobs[1], NAN)
    again = next_job(queue)
    assert (who([again]), again.attempt) == ([(0, 11)], 2)
    queue.failed(again, NAN)
    assert queue.next_job() is Idle.WAIT
    (failure,) = queue.failures
    assert told == [failure]
    assert (failure.number, failure.seed, failure.reason) == (0, 11, "ArithmeticError: the loss is nan")


def test_what_would_fail_again_is_not_tried_again(make):
    queue, _ = make()
    queue.failed(next_job(queue), replace(NAN, worth_a_retry=False))
    assert len(queue.failures) == 1
    assert len([next_job(queue) for _ in range(3)]) == 3
    assert queue.next_job() is Idle.WAIT


def test_a_full_disk_does_not_cost_what_is_known(make, monkeypatch, caplog):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FinalistRuns, "write", full)
    queue, told = make()
    queue.trained(run_of(next_job(queue)))
    assert len(told) == 1
    assert "the result of trial 3 is not kept: No space left on device" in caplog.text
