"""Checkpoints of the training runs of one small configuration, which differ in their seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from narm.checkpoint import save_checkpoint
from narm.config import Config
from narm.data.sessions import Splits
from narm.training import create_model, fit

SMALL = {"embedding_size": 8, "hidden_size": 12, "epochs": 1, "train_batch_size": 64, "learning_rate": 0.01}


def train_runs(folder: Path, splits: Splits, seeds: Sequence[int] = (1, 2, 3), **options: object) -> list[Path]:
    """Train a run with each seed; their checkpoints, `1.pt` of the seed 1."""
    return [train_run(folder / f"{seed}.pt", splits, seed=seed, **options) for seed in seeds]


def train_run(path: Path, splits: Splits, **options: object) -> Path:
    """Train a run; its checkpoint."""
    config = Config.from_flat({**SMALL, **options})
    model = create_model(splits.n_items, config)
    for epoch in fit(model, splits, config.training, config.evaluation, device="cpu"):
        save_checkpoint(path, epoch.state, config=config, splits=splits)
    return path
