"""Trackers of one study over a real MLflow store, and a checkpoint to ship."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run, ViewType
from support.mlflow_store import prepared_store
from support.ring import ring_of_items
from support.updates import HEADER

from experiments.tracking.outbox import Outbox
from experiments.tracking.tracker import Tracker, open_tracker
from narm.checkpoint import save_checkpoint
from narm.config import Config
from narm.training import create_model, fit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.jsonl"


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    outbox = Outbox(path, HEADER, receiver="server")
    yield outbox
    outbox.close()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database that all tests of a file share; each has an experiment of its own."""
    return prepared_store(tmp_path_factory.mktemp("mlflow") / "mlflow.db", tmp_path_factory)


@pytest.fixture
def make(store: str, tmp_path: Path) -> Iterator[Callable[..., Tracker]]:
    """Trackers of one study, one after the other, as in sessions of the same search."""
    made: list[Tracker] = []

    def make(uri: str = store, **options: Any) -> Tracker:
        usual = {"name": "my study", "experiment": tmp_path.name, "flush_seconds": 60.0}
        places = {"artifact_dir": tmp_path / "artifacts", "outbox": tmp_path / "outbox.jsonl"}
        made.append(open_tracker(uri, **usual | places | options))
        return made[-1]

    yield make
    for tracker in made:
        tracker.close()


@pytest.fixture
def tracker(make: Callable[..., Tracker]) -> Tracker:
    return make()


@pytest.fixture
def runs(store: str, tmp_path: Path) -> Callable[[], dict[str, Run]]:
    """All runs of this test's experiment, by their name; none has a name twice."""

    def find() -> dict[str, Run]:
        client = MlflowClient(tracking_uri=store)
        experiment = client.get_experiment_by_name(tmp_path.name)
        found = client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL)
        by_name = {run.info.run_name: run for run in found}
        assert len(by_name) == len(found)
        return by_name

    return find


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a tiny model on a ring of items, 101..119; tests only read it."""
    path = tmp_path_factory.mktemp("trained") / "run.pt"
    splits, config = ring_of_items(), Config.from_flat(embedding_size=4, hidden_size=4, epochs=2)
    for epoch in fit(create_model(20, config), splits, config.training, config.evaluation, device="cpu"):
        save_checkpoint(path, epoch.state, config=config, splits=splits)
    return path
