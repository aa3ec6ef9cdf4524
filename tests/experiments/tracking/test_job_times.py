"""When jobs began and ended, from what an outbox says, and which worker had them."""

from __future__ import annotations

from pathlib import Path

from experiments.tracking.job_times import JobTimes, jobs_in, read_jobs, workers
from experiments.tracking.outbox import Update
from experiments.tuning.study.folder import OUTBOX


def update(run: str, seconds: float, **what: object) -> Update:
    return Update(run=run, time=round(1000 * seconds), **what)  # type: ignore[arg-type]


def begun(run: str, at: float) -> Update:
    return update(run, at, status="RUNNING")


def epoch(run: str, at: float, number: int = 1) -> Update:
    return update(run, at, step=number, metrics={"epoch_seconds": 2.0})


def job(start: float, end: float) -> JobTimes:
    return JobTimes(0, start, is_first=True, reports=[(end, 1.0)])


def test_a_trial_that_was_held_up_has_two_jobs() -> None:
    held_up = update("3", 11, status="SCHEDULED")
    first, second = read_jobs([begun("3", 1), epoch("3", 10), held_up, begun("3", 20), epoch("3", 25, 2)])
    assert (first.number, first.start, first.end, first.is_first, first.epochs) == (3, 1, 10, True, [1])
    assert (second.number, second.start, second.end, second.is_first, second.epochs) == (3, 20, 25, False, [2])


def test_a_job_of_which_nothing_more_is_known_is_none() -> None:
    assert [found.number for found in read_jobs([begun("0", 1), begun("1", 2), epoch("1", 4)])] == [1]


def test_a_job_that_failed_before_its_first_report_lasted_until_then() -> None:
    [failed] = read_jobs([begun("0", 1), update("0", 6, status="FAILED")])
    assert (failed.start, failed.end, failed.epochs) == (1, 6, [])


def test_what_a_killed_session_left_open_did_not_last_until_the_next() -> None:
    killed = [begun("study", 0), begun("0", 1), begun("1", 1), epoch("1", 3)]
    assert [found.end for found in read_jobs([*killed, begun("study", 900), update("0", 950, status="KILLED")])] == [3]


def test_finalists_and_the_machine_are_no_jobs() -> None:
    others = [begun("finalist 1, seed 2", 1), update("study", 2, metrics={"system/cpu": 1.0}), epoch("5", 3)]
    assert read_jobs(others) == []


def test_a_job_goes_to_the_worker_that_has_been_free_longest() -> None:
    assert workers([job(0, 10), job(0, 5), job(6, 9), job(10, 12), job(11, 13)]) == [0, 1, 1, 1, 0]


def test_a_job_that_finds_no_worker_free_has_a_new_one() -> None:
    assert workers([job(0, 10), job(1, 10), job(2, 10)]) == [0, 1, 2]


def test_a_damaged_outbox_has_the_jobs_that_can_be_read(tmp_path: Path) -> None:
    assert jobs_in(tmp_path) == []
    lines = [b'{"study": "x"}\n', begun("0", 1).to_line(), b"garbage\n", epoch("0", 2).to_line(), b'{"run": "0", "ti']
    (tmp_path / OUTBOX).write_bytes(b"".join(lines))
    assert [(found.start, found.end) for found in jobs_in(tmp_path)] == [(1, 2)]
