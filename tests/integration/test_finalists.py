"""Finalists through the real Ray: after failures, and after an interruption."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from support.accidents import train_with

from experiments import search
from experiments.cli.exit_status import EXIT_INTERRUPTED
from experiments.cli.running import run_command
from experiments.tuning.driver.stopping import Interruption
from experiments.tuning.worker.jobs import FinalistJob, Job

pytestmark = pytest.mark.usefixtures("one_ray")

SETTINGS = ["--preset", "smoke", "--study", "s", "--trials", "2", "--epochs", "2", "--finalists", "1", "--quiet",
            "--finalist-seeds", "1", "--concurrency", "1"]  # fmt: skip


def run_search(output: Path, *arguments: str) -> int:
    return run_command(search.main, [*SETTINGS, "--output", str(output), *arguments])


def finals(output: Path) -> dict[str, Any] | None:
    found = json.loads((output / "s" / "summary.json").read_text())["finals"]
    assert found is None or isinstance(found, dict)
    return found


def befall(job: Job, epochs: int) -> None:
    """The default fails always; the first worker of the other finalist dies, for each seed."""
    if isinstance(job, FinalistJob):
        if job.finalist.is_default:
            raise ArithmeticError("the loss is nan in epoch 1")
        if job.attempt == 1:
            os._exit(1)


def test_what_fails_twice_is_reported_and_does_not_end_the_others(output, monkeypatch):
    monkeypatch.setattr("experiments.tuning.driver.run.train", train_with(befall))
    assert run_search(output) == 0
    found = finals(output)
    assert found is not None
    (finalist,) = found["finalists"]
    assert not finalist["is_default"]
    assert len(finalist["seeds"]) == 1
    assert {failure["reason"] for failure in found["failures"]} == {"ArithmeticError: the loss is nan in epoch 1"}
    assert [failure["number"] for failure in found["failures"]] == [0]


@pytest.mark.usefixtures("heeds_sigint")
def test_an_interruption_ends_finalists_within_seconds_and_they_go_on_when_resumed(output, monkeypatch):
    began: list[float] = []
    stop_all = Interruption.stop_all

    def stop_in_finalists(interruption: Interruption) -> bool:
        if not began and list(output.glob("s/finalists/*.pt")):
            began.append(time.monotonic())
            signal.raise_signal(signal.SIGINT)
        return stop_all(interruption)

    with monkeypatch.context() as patch:
        patch.setattr(Interruption, "stop_all", stop_in_finalists)
        status = run_search(output, "--finalist-seeds", "40")
    assert status == EXIT_INTERRUPTED
    settled = time.monotonic() - began[0]
    assert finals(output) is None
    kept = {path: path.stat().st_mtime_ns for path in output.glob("s/finalists/*.npz")}
    assert len(kept) < 80
    resumed = time.monotonic()
    assert run_search(output, "--resume", "s") == 0
    # sooner than two finalists are trained: Ray Tune would wait ten seconds for workers that report nothing
    assert settled < time.monotonic() - resumed
    found = finals(output)
    assert found is not None
    assert [len(finalist["seeds"]) for finalist in found["finalists"]] == [1, 1]
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items())


def test_finalists_of_a_search_that_a_limit_broke_off_are_trained_in_a_second_run_of_tune(output):
    assert run_search(output, "--epochs", "6", "--scheduler", "none", "--epoch-budget", "4") == 0
    summary = json.loads((output / "s" / "summary.json").read_text())
    assert summary["stop_reason"] == "epoch budget (4)"
    assert summary["counts"]["interrupted"] >= 1
    found = finals(output)
    assert found is not None
    assert found["failures"] == []
