"""Learning curves of the shape that NARM's have: the learning rate decides, noise does the rest."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks.curves import random_points
from benchmarks.recorded_space import recorded_space
from benchmarks.replay.curve_model import CurveModel, curve_model
from benchmarks.replay.table import CurveTable, curve_table
from search_spaces.space import load_space

PATIENCE = 4
EPOCHS = 12
POINTS = 60
QUALITY = {0.01: 0.05, 0.005: 0.048, 0.001: 0.042, 0.0005: 0.035, 0.0001: 0.02}


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a model says of its whole space is estimated quickly."""
    monkeypatch.setattr("benchmarks.replay.curve_model.DRAWS", 2_000)


@pytest.fixture(scope="session")
def curves() -> pd.DataFrame:
    """Every configuration with three seeds, as `benchmarks.curves` would have trained them."""
    grid = list(load_space("recbole").grid())
    return pd.concat(
        [
            _curve("recbole", params, seed, QUALITY[params["learning_rate"]], np.random.default_rng([index, seed]))
            for index, params in enumerate(grid)
            for seed in range(3)
        ],
        ignore_index=True,
    )


@pytest.fixture(scope="session")
def table(curves: pd.DataFrame) -> CurveTable:
    return curve_table(curves, load_space("recbole"), "mrr_at_10")


@pytest.fixture(scope="session")
def wide_curves() -> pd.DataFrame:
    """Some points of a space that is not finite, with one seed, and a few of them with a second."""
    points = random_points(recorded_space("narm"), POINTS, 2020)
    return pd.concat(
        [
            _curve("narm", params, seed, _quality(params["learning_rate"]), np.random.default_rng([index, seed]))
            for seed, of_seed in enumerate((points, points[:7]))
            for index, params in enumerate(of_seed)
        ],
        ignore_index=True,
    )


@pytest.fixture(scope="session")
def model(wide_curves: pd.DataFrame) -> CurveModel:
    return curve_model(wide_curves, recorded_space("narm"), "mrr_at_10")


def _quality(learning_rate: float) -> float:
    return 0.05 - 0.012 * (np.log10(learning_rate) + 2.5) ** 2


def _curve(space: str, params: dict[str, object], seed: int, quality: float, rng: np.random.Generator) -> pd.DataFrame:
    epochs = np.arange(1, EPOCHS + 1)
    values = quality * (1 - 0.6 * np.exp(-epochs / 3)) + rng.normal(0, 0.002, EPOCHS)
    since_best = epochs - 1 - np.array([values[:epoch].argmax() for epoch in epochs])
    n_epochs = int((since_best > PATIENCE).argmax()) + 1 if (since_best > PATIENCE).any() else EPOCHS
    return pd.DataFrame(
        {
            "space": space,
            "params": json.dumps(params),
            "seed": seed,
            "epoch": epochs[:n_epochs],
            "mrr_at_10": values[:n_epochs],
            "recall_at_10": 3 * values[:n_epochs],
        }
    )
