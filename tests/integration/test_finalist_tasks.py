"""Finalists through a real Ray: in parallel, once, again after a failure, and ended when told to."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import finalist_tasks
from experiments.checkpoints import CheckpointStore
from experiments.finalist_tasks import Trained, train_finalists
from experiments.finalists import Finalist, FinalistRun, run_checkpoint
from experiments.ray_session import ray_session
from narm.config import Config, DataConfig
from narm.data.datasets import load_splits
from narm.data.sessions import Splits

pytestmark = pytest.mark.integration

CONFIG = Config.from_flat(dataset="synthetic", embedding_size=8, hidden_size=8, epochs=2, learning_rate=0.01)
RESOURCES = {"cpu": 1.0, "gpu": 0.0}
FINALISTS = [Finalist(number=3, options={"hidden_size": 4}), Finalist(number=0, options={}, is_default=True)]


@pytest.fixture(scope="module")
def splits() -> Iterator[Splits]:
    """The data, while Ray runs."""
    splits = load_splits(DataConfig(dataset="synthetic"))
    with ray_session(2, splits, resources=RESOURCES):
        yield splits


def train(folder: Path, splits: Splits, **changes: Any) -> tuple[Trained, list[object]]:
    told: list[object] = []
    CheckpointStore(str(folder)).prepare()
    settings: dict[str, Any] = {
        "splits": splits,
        "config": CONFIG,
        "seeds": [11, 12],
        "threads": 1,
        "device": "cpu",
        "resources": RESOURCES,
        "concurrency": 2,
        "folder": folder,
        "checkpoints": CheckpointStore(str(folder)),
        "stop": lambda: False,
        "on_done": told.append,
    }
    return train_finalists(FINALISTS, **{**settings, **changes}), told


def by_value(function: Callable[..., object]) -> Callable[..., object]:
    """A copy that pickles with its code: Ray's workers cannot import the module of a test."""
    function.__module__ = "__main__"
    return function


def fail(*_: object, **__: object) -> None:
    """No training succeeds."""
    raise ArithmeticError("the loss is nan\nin epoch 1")


def who(runs: Any) -> set[tuple[int, int]]:
    return {(run.finalist.number, run.seed) for run in runs}


def test_every_finalist_is_trained_with_every_seed_once(splits, tmp_path, monkeypatch):
    trained, told = train(tmp_path, splits)
    assert who(trained.runs) == {(0, 11), (0, 12), (3, 11), (3, 12)}
    assert told == list(trained.runs)
    assert not trained.stopped
    assert not trained.failures
    assert {path.name for path in tmp_path.glob("*.npz")} == {
        "0000-11.npz", "0000-12.npz", "0003-11.npz", "0003-12.npz",
    }  # fmt: skip
    by_run = {(run.finalist.number, run.seed): run for run in trained.runs}

    monkeypatch.setattr(finalist_tasks, "train_finalist", by_value(fail))
    again, told_again = train(tmp_path, splits)
    assert told_again == list(again.runs)
    for run in again.runs:
        assert isinstance(run, FinalistRun)
        before = by_run[run.finalist.number, run.seed]
        assert (run.ranks == before.ranks).all()
        assert run.valid == before.valid


def test_what_fails_twice_is_reported_and_does_not_end_the_others(splits, tmp_path, monkeypatch):
    def half(finalist: Finalist, seed: int, *, checkpoints: CheckpointStore, **_: object) -> FinalistRun:
        """The default fails always; the other's first worker dies, for each seed."""
        if finalist.is_default:
            raise ArithmeticError("the loss is nan\nin epoch 1")
        assert checkpoints.folder is not None
        mark = checkpoints.folder / f"died-{seed}"
        if not mark.exists():
            mark.touch()
            os._exit(1)
        return FinalistRun(
            finalist=finalist, seed=seed, epochs=1, best_epoch=1, seconds=0.0, valid={}, test={}, ranks=np.arange(3)
        )  # fmt: skip

    monkeypatch.setattr(finalist_tasks, "train_finalist", by_value(half))
    trained, told = train(tmp_path, splits)
    assert who(trained.runs) == {(3, 11), (3, 12)}
    assert {(f.number, f.seed, f.reason) for f in trained.failures} == {
        (0, 11, "ArithmeticError: the loss is nan in epoch 1"),
        (0, 12, "ArithmeticError: the loss is nan in epoch 1"),
    }
    assert len(told) == 4
    assert not trained.stopped


def test_it_ends_within_seconds_when_told_to_and_leaves_checkpoints(splits, tmp_path):
    endless = CONFIG.replace({"epochs": 100_000, "stopping_step": 100_000})
    checkpoints = [tmp_path / run_checkpoint(finalist, 11) for finalist in FINALISTS]
    told_at: list[float] = []

    def stop() -> bool:
        if all(path.exists() for path in checkpoints):
            told_at.append(time.monotonic())
        return bool(told_at)

    trained, told = train(tmp_path, splits, config=endless, stop=stop)
    assert time.monotonic() - told_at[0] < 10
    assert trained.stopped
    assert trained.runs == told == []
    assert_nothing_runs()


def assert_nothing_runs(seconds: float = 10) -> None:
    """Ray has both its CPUs back."""
    import ray  # not before `experiments` has set it up

    deadline = time.monotonic() + seconds
    while ray.available_resources().get("CPU") != 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert ray.available_resources()["CPU"] == 2
