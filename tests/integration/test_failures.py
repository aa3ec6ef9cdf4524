"""What can befall a trial, each through the real Ray: it is tried again from its checkpoint, or has failed for good."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from optuna.trial import TrialState
from support.accidents import train_with
from support.mlflow_store import prepared_store

from benchmarks.stores import Stores
from experiments import search
from experiments.cli.running import run_command
from experiments.tuning.study.trial_attributes import REASON, RETRIES, read_progress
from experiments.tuning.worker.jobs import Job, TrialJob
from narm.checkpoint import read_checkpoint
from narm.training import NonFiniteLoss

SPACE = "learning_rate: [0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.009, 0.01]\n"
EPOCHS = 4

# What befalls which trial after its second epoch: in its first attempt only, or in each.
ONCE = {
    1: RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
    4: signal.SIGKILL,
}
ALWAYS = {
    2: ZeroDivisionError("the trial divides by zero"),
    3: NonFiniteLoss("the loss is nan in epoch 3"),
    5: MemoryError("8 bytes are not to be had"),
}


def befall(job: Job, epochs: int) -> None:
    assert isinstance(job, TrialJob)
    accident = ALWAYS.get(job.number) or (ONCE.get(job.number) if job.epochs == 0 else None)
    if epochs < 2 or accident is None:
        return
    if accident is signal.SIGKILL:
        os.kill(os.getpid(), accident)
    raise accident


@pytest.fixture(scope="module")
def searched(one_ray, tmp_path_factory) -> tuple[Path, Stores]:
    """Eight trials are asked for, two may fail."""
    output = tmp_path_factory.mktemp("searched")
    prepared_store(output / "mlflow.db", tmp_path_factory)
    assert run_search(output, "--trials", "8", "--max-failed", "2") == 0
    return output, Stores.below(output, "s", experiment="synthetic")


def run_search(output: Path, *arguments: str) -> int:
    (output / "space.yaml").write_text(SPACE)
    what = ["--preset", "smoke", "--space", str(output / "space.yaml"), "--study", "s", "--output", str(output)]
    size = ["--epochs", str(EPOCHS), "--hidden_size", "8", "--embedding_size", "8", "--finalists", "0"]
    how = ["--sampler", "random", "--scheduler", "none", "--concurrency", "1", "--threads", "1", "--quiet"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("experiments.tuning.driver.run.train", train_with(befall))
        return run_command(search.main, [*what, *size, *how, *arguments])


def summary(output: Path) -> dict[str, Any]:
    return json.loads((output / "s" / "summary.json").read_text())


def test_the_search_ends_when_one_more_trial_has_failed_than_may_and_not_before(searched):
    output, stores = searched
    states = [trial.state for trial in stores.trials()]
    failed = [number for number, state in enumerate(states) if state is TrialState.FAIL]
    assert failed == list(ALWAYS)
    assert len(states) == max(ALWAYS) + 1  # none is begun after that
    assert summary(output)["stop_reason"] == "too many trials failed (3)"
    assert stores.problems(n_trials=len(states)) == []


@pytest.mark.parametrize("number", ONCE)
def test_a_trial_goes_on_from_its_checkpoint_after_a_failure(searched, number):
    output, stores = searched
    trial = stores.trials()[number]
    assert trial.state is TrialState.COMPLETE
    assert trial.user_attrs[RETRIES] == 1
    # No two trainings take the same time: the first epochs of the last checkpoint are those told before the failure.
    checkpoint = read_checkpoint(output / "s" / "checkpoints" / f"{number:04d}.pt")
    seconds = [epoch["seconds"] for epoch in checkpoint["history"]]
    assert seconds == [told.value for told in stores.history(number, "epoch_seconds")]
    assert len(seconds) == EPOCHS


@pytest.mark.parametrize(
    ("number", "retries", "reason"),
    [
        (2, 1, "ZeroDivisionError: the trial divides by zero"),
        (3, 0, "narm.training.NonFiniteLoss: the loss is nan in epoch 3"),  # the same seed would end there again
        (5, 1, "MemoryError: 8 bytes are not to be had"),
    ],
)
def test_a_trial_that_fails_again_has_failed_with_reason_and_traceback(searched, number, retries, reason):
    output, stores = searched
    trial, run = stores.trials()[number], stores.run(number)
    progress = read_progress(trial)
    assert progress
    assert progress["epochs"] == 2 + retries  # one more in its second attempt
    assert reason in trial.user_attrs[REASON]
    assert trial.user_attrs.get(RETRIES, 0) == retries
    assert run.info.status == "FAILED"
    assert run.data.tags["reason"] == trial.user_attrs[REASON]
    traceback = MlflowClient(stores.tracking_uri).download_artifacts(run.info.run_id, "traceback.txt")
    assert reason in Path(traceback).read_text()
    line = summary(output)["trials"][number]
    assert (line["state"], line["reason"], line["retries"]) == ("FAIL", trial.user_attrs[REASON], retries)


def test_a_worker_that_ray_kills_when_memory_runs_short_is_told_as_such(output):
    """In a process of its own: Ray has been seen to take the driver along, which is what --resume is there for."""
    short_of_memory = {"RAY_memory_usage_threshold": "0.001", "RAY_memory_monitor_refresh_ms": "100"}
    size = ["--trials", "1", "--epochs", "1000", "--stopping_step", "1000", "--finalists", "0", "--max-retries", "0"]
    begin = ["--preset", "smoke", "--study", "s", *size]
    for what in (begin, ["--resume", "s"], ["--resume", "s"]):
        command = [sys.executable, "-m", "experiments.search", *what, "--output", str(output), "--quiet"]
        status = subprocess.run(command, env={**os.environ, **short_of_memory}, check=False).returncode
        if status >= 0:
            break
    assert status == 3  # every trial failed
    (trial,) = Stores.below(output, "s", experiment="synthetic").trials()
    assert trial.state is TrialState.FAIL
    assert "memory" in trial.user_attrs[REASON]
