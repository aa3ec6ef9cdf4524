"""When jobs began and ended, as their log has it, and which worker had them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from experiments.tuning.study import job_log
from experiments.tuning.study.job_log import FILE, JobLog, JobTimes, jobs_in, read_jobs, workers


def begun(trial: int, at: float) -> dict[str, Any]:
    return {"event": "start", "trial": trial, "time": at}


def epoch(trial: int, at: float, number: int = 1) -> dict[str, Any]:
    return {"event": "epoch", "trial": trial, "time": at, "epoch": number, "seconds": 2.0}


def ended(trial: int, at: float) -> dict[str, Any]:
    return {"event": "end", "trial": trial, "time": at}


def session(at: float) -> dict[str, Any]:
    return {"event": "session", "time": at}


def job(start: float, end: float) -> JobTimes:
    return JobTimes(0, start, is_first=True, reports=[(end, 1.0)])


def test_a_trial_that_was_paused_has_two_jobs() -> None:
    first, second = read_jobs([begun(3, 1), epoch(3, 10), ended(3, 11), begun(3, 20), epoch(3, 25, 2)])
    assert (first.number, first.start, first.end, first.is_first, first.epochs) == (3, 1, 10, True, [1])
    assert (second.number, second.start, second.end, second.is_first, second.epochs) == (3, 20, 25, False, [2])


def test_a_job_that_left_no_further_trace_is_none() -> None:
    assert [found.number for found in read_jobs([begun(0, 1), begun(1, 2), epoch(1, 4)])] == [1]


def test_a_job_that_failed_before_its_first_report_lasted_until_then() -> None:
    [failed] = read_jobs([begun(0, 1), ended(0, 6)])
    assert (failed.start, failed.end, failed.epochs) == (1, 6, [])


def test_what_a_killed_session_left_open_did_not_last_until_the_next() -> None:
    killed = [session(0), begun(0, 1), begun(1, 1), epoch(1, 3)]
    assert [found.end for found in read_jobs([*killed, session(900), ended(0, 950)])] == [3]


def test_a_job_goes_to_the_worker_that_has_been_free_longest() -> None:
    assert workers([job(0, 10), job(0, 5), job(6, 9), job(10, 12), job(11, 13)]) == [0, 1, 1, 1, 0]


def test_a_job_that_finds_no_worker_free_has_a_new_one() -> None:
    assert workers([job(0, 10), job(1, 10), job(2, 10)]) == [0, 1, 2]


def test_what_is_logged_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, clock = JobLog(tmp_path), iter(range(100))
    monkeypatch.setattr(job_log.time, "time", lambda: float(next(clock)))
    log.session()
    log.start(4)
    log.epoch(4, 1, 0.5)
    log.epoch(4, 2, 0.25)
    log.end(4)
    [found] = jobs_in(tmp_path)
    assert (found.number, found.start, found.end, found.epochs, found.training) == (4, 1.0, 3.0, [1, 2], 0.75)


def test_a_damaged_log_has_the_jobs_that_can_be_read(tmp_path: Path) -> None:
    assert jobs_in(tmp_path) == []
    lines = ['{"event": "start", "trial": 0, "time": 1}', "garbage"]
    lines += ['{"event": "epoch", "trial": 0, "time": 2, "epoch": 1, "seconds": 1}', '{"event": "epo']
    (tmp_path / FILE).write_text("\n".join(lines))
    assert [(found.start, found.end) for found in jobs_in(tmp_path)] == [(1, 2)]


def test_a_log_that_cannot_be_written_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        JobLog(tmp_path / "gone").start(1)
    assert "a line is lost: No such file or directory" in caplog.text
