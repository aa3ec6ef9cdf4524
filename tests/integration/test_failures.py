"""What can befall a trial, each through the real Ray: it is tried again from its checkpoint, or has failed for good."""

from __future__ import annotations

# First, since Ray reads its settings when it is imported.
from experiments import search
from experiments.tuning.driver import run as study

# isort: split
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from optuna.trial import TrialState
from ray import tune

from benchmarks.stores import Stores
from experiments.cli.running import run_command
from experiments.tuning.study.trial_attributes import REASON, RETRIES, read_progress
from experiments.tuning.worker.tune_function import REPORT, run_job
from narm.checkpoint import read_checkpoint
from narm.training import NonFiniteLoss

pytestmark = pytest.mark.integration

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


def train_with_accidents(job: Mapping[str, Any], **rest: Any) -> None:
    """As `train`, until an accident."""
    job = job["job"]
    accident = ALWAYS.get(job.number) or (ONCE.get(job.number) if job.epochs == 0 else None)
    for report in run_job(job, **rest):
        tune.report({REPORT: report})
        if accident is signal.SIGKILL and report.epoch >= 2:
            os.kill(os.getpid(), accident)
        elif accident and report.epoch >= 2:
            raise accident


def by_value(function: Callable[..., None]) -> Callable[..., None]:
    """A copy that pickles with its code: Ray's workers cannot import the module of a test."""
    function.__module__ = "__main__"
    return function


@pytest.fixture(scope="module")
def searched(tmp_path_factory) -> tuple[Path, Stores]:
    """Eight trials are asked for, two may fail."""
    output = tmp_path_factory.mktemp("searched")
    status = run_search(output, train_with_accidents, "--trials", "8", "--max-failed", "2")
    assert status == 0
    return output, Stores.below(output, "s", experiment="synthetic")


def run_search(output: Path, train: Callable[..., None], *arguments: str) -> int:
    (output / "space.yaml").write_text(SPACE)
    what = ["--preset", "smoke", "--space", str(output / "space.yaml"), "--study", "s", "--output", str(output)]
    size = ["--epochs", str(EPOCHS), "--hidden_size", "8", "--embedding_size", "8", "--finalists", "0"]
    how = ["--sampler", "random", "--scheduler", "none", "--concurrency", "1", "--threads", "1", "--quiet"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "train", by_value(train))
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


def test_a_worker_that_ray_kills_when_memory_runs_short_is_told_as_such(tmp_path):
    """In a process of its own: Ray has been seen to take the driver along, which is what --resume is there for."""
    short_of_memory = {"RAY_memory_usage_threshold": "0.001", "RAY_memory_monitor_refresh_ms": "100"}
    size = ["--trials", "1", "--epochs", "1000", "--stopping_step", "1000", "--finalists", "0", "--max-retries", "0"]
    begin = ["--preset", "smoke", "--study", "s", *size]
    for what in (begin, ["--resume", "s"], ["--resume", "s"]):
        command = [sys.executable, "-m", "experiments.search", *what, "--output", str(tmp_path), "--quiet"]
        status = subprocess.run(command, env={**os.environ, **short_of_memory}, check=False).returncode
        if status >= 0:
            break
    assert status == 3  # every trial failed
    (trial,) = Stores.below(tmp_path, "s", experiment="synthetic").trials()
    assert trial.state is TrialState.FAIL
    assert "memory" in trial.user_attrs[REASON]
