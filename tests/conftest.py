"""Fixtures that several packages' tests share: small sessions whose next item is known."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported; small matrices gain nothing from threads

# isort: split
import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from filelock import FileLock
from hypothesis import HealthCheck, settings
from support.ring import ring_of_items

from narm.config import DataConfig
from narm.data.datasets import load_splits
from narm.data.sessions import Splits
from narm.errors import InputError

if TYPE_CHECKING:
    from support.finished_search import CalledSearch

# No deadline: a busy machine is not a failure. `HYPOTHESIS_PROFILE=fuzz pytest` looks much longer.
settings.register_profile("quick", deadline=None, max_examples=25)
settings.register_profile("fuzz", deadline=None, max_examples=6_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(autouse=True)
def _one_thread():
    """Small tensors gain nothing from threads, and bits must not depend on the machine."""
    torch.set_num_threads(1)


_LOG_LEVELS = {name: logging.getLogger(name).level for name in (None, "narm", "experiments", "search_spaces")}


@pytest.fixture(autouse=True)
def _log_levels():
    """A command sets how much its loggers say, for the rest of its process; so does one in a fixture of many tests."""
    for name, level in _LOG_LEVELS.items():
        logging.getLogger(name).setLevel(level)
    yield
    for name, level in _LOG_LEVELS.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def heeds_sigint() -> Iterator[None]:
    """SIGINT as Python has it: a job that a shell has put into the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def ring_splits() -> Splits:
    """A ring of 19 items: the next item is always the one after, so a good model gets every target."""
    return ring_of_items()


@pytest.fixture
def output(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for studies, empty but for MLflow's database."""
    from support.mlflow_store import prepared_store  # MLflow takes seconds to import

    prepared_store(tmp_path / "mlflow.db", tmp_path_factory)
    return tmp_path


@pytest.fixture(scope="session")
def ml_100k() -> Splits:
    """ml-100k from the package index or the cache; the test is skipped where neither is at hand."""
    try:
        return load_splits(DataConfig(dataset="ml-100k"))
    except InputError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> CalledSearch:
    """A search that is over, for reading only: all processes of a session of tests share it, and the first calls it."""
    from support.finished_search import called_search  # MLflow takes seconds to import

    of_process = tmp_path_factory.getbasetemp()
    folder = (of_process.parent if "PYTEST_XDIST_WORKER" in os.environ else of_process) / "searched"
    with FileLock(folder.with_suffix(".lock")):
        return called_search(folder)
