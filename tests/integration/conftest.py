"""One Ray for the searches of this folder, as far as one process runs them: starting it takes longer than they do."""

from __future__ import annotations

# First, since Ray reads its settings when it is imported.
from experiments.tuning.driver.ray_session import ray_session

# isort: split
from contextlib import ExitStack

import pytest
import ray

from narm.config import DataConfig
from narm.data.datasets import load_splits

_ray = ExitStack()


@pytest.fixture(scope="module")
def one_ray() -> None:
    """The searches of this module run within a Ray that is open already, as those of a comparison do."""
    if not ray.is_initialized():
        _ray.enter_context(ray_session(2, load_splits(DataConfig(dataset="synthetic")), resources={"cpu": 1}))


@pytest.fixture(scope="module")
def no_ray() -> None:
    """This module starts its own."""
    _ray.close()


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """No other folder finds it open."""
    if nextitem is None or nextitem.path.parent != item.path.parent:
        _ray.close()
