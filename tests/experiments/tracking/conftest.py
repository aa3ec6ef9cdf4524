"""A checkpoint to ship: of a tiny model on a ring of items, 101..119."""

from pathlib import Path

import pytest

from narm.checkpoint import save_checkpoint
from narm.config import Config
from narm.training import create_model, fit


@pytest.fixture
def checkpoint(ring_splits, tmp_path) -> Path:
    config = Config.from_flat(embedding_size=4, hidden_size=4, epochs=2)
    for epoch in fit(create_model(20, config), ring_splits, config.training, config.evaluation, device="cpu"):
        save_checkpoint(tmp_path / "run.pt", epoch.state, config=config, splits=ring_splits)
    return tmp_path / "run.pt"
