"""The encoders by session length: what is compared with what, and that a difference is found where it was put."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.encoders import FACTORS, Ranked, best_of, first_runs, rows, train
from benchmarks.recipe import Run
from narm.config import DataConfig
from narm.data.datasets import load_splits

SYNTHETIC = DataConfig(dataset="synthetic")
OPTIONS = {"learning_rate": 0.004, "epochs": 1, "embedding_size": 8, "hidden_size": 8, "topk": [20],
           "valid_metric": "MRR@20"}  # fmt: skip


def run(model: str, valid: float, ranks: np.ndarray, rate: float = 0.004) -> Ranked:
    trained = Run(configuration=model, data=SYNTHETIC, options={"learning_rate": rate}, seed=1)
    return Ranked(run=trained, valid=valid, ranks=ranks)


def test_each_model_is_tried_at_each_rate_and_the_best_on_validation_is_kept():
    trainings = first_runs(SYNTHETIC, OPTIONS, ("narm", "local"))
    assert [(each.options["model"], each.options["learning_rate"]) for each in trainings[: len(FACTORS)]] == [
        ("narm", 0.002), ("narm", 0.004), ("narm", 0.008),
    ]  # fmt: skip
    ranks = np.array([1])
    kept = best_of([run("local", 0.9, ranks), run("narm", 0.1, ranks, 0.002), run("narm", 0.2, ranks)], "narm")
    assert kept.run.options["learning_rate"] == 0.004


@pytest.mark.slow
def test_a_run_has_a_rank_for_each_test_target():
    trained = train(Run(configuration="local", data=SYNTHETIC, options={**OPTIONS, "model": "local"}, seed=3))
    assert len(trained.ranks) == len(load_splits(SYNTHETIC).test)
    assert 0 < trained.valid < 1


def test_a_lead_on_long_sessions_alone_is_found_there():
    test = load_splits(SYNTHETIC).test
    ranks = np.random.default_rng(0).integers(1, 60, len(test))
    is_long = test.sessions.lengths[test.session_of_target] > 5
    runs = {"narm": [run("narm", 0, np.where(is_long, 1, ranks))] * 2, "local": [run("local", 0, ranks)] * 2}
    leads = {row["length"]: row["less local, MRR@20"] for row in rows(runs, test)}
    assert leads["5"] == "+0.0000 [+0.0000, +0.0000]"
    assert leads["6-10"].startswith("+0.")
    assert "[+" in leads["6-10"]
