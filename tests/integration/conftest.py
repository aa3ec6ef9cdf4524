"""What the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from experiments.tuning.driver.ray_session import ray_session
from narm.config import DataConfig
from narm.data.datasets import load_splits


@pytest.fixture(scope="module")
def one_ray() -> Iterator[None]:
    """One Ray for the searches of a module, as for those of a comparison: starting it takes longer than they train."""
    with ray_session(2, load_splits(DataConfig(dataset="synthetic")), resources={"cpu": 1}):
        yield
