"""Models compared by what their searches left, without the searches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.cli import run_comparison
from experiments.cli.run_comparison import search_and_compare
from experiments.tuning.engine.model_comparison import Contender
from experiments.tuning.worker.jobs import Finalist
from experiments.tuning.worker.reports import FinalistRun
from narm.config import Config
from narm.data.datasets import load_splits
from narm.evaluation.full_ranking import chosen_targets


def test_models_that_are_judged_on_the_last_targets_alone_are_compared_on_these(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config.from_flat(dataset="synthetic", eval_targets="last")
    targets = chosen_targets(load_splits(config.data).test, config.evaluation)

    def contender(model: str, rank: int) -> Contender:
        run = FinalistRun(
            finalist=Finalist(number=0, options={}), seed=1, epochs=1, best_epoch=1, seconds=1.0,
            valid={"mrr_at_20": 1 / rank}, test={}, ranks=np.full(len(targets), rank),
        )  # fmt: skip
        return Contender(model=model, params={}, runs=[run], trials=1, seconds=1.0)

    found = [contender("pop", 4), contender("s_pop", 1)]
    monkeypatch.setattr(run_comparison, "_search_all", lambda specs, splits, quiet: found)
    monkeypatch.setattr(run_comparison, "record_comparison", lambda *given, **more: None)
    options = ["--dataset", "synthetic", "--eval_targets", "last", "--output", str(tmp_path)]
    compared = search_and_compare(["pop", "s_pop"], options, study="c", metrics=["MRR@20"], quiet=True).comparison
    assert compared is not None
    assert (compared.n_targets, compared.n_sessions) == (len(targets), len(targets))
    assert [(row.model, row.test["MRR@20"].mean) for row in compared.rows] == [("s_pop", 1.0), ("pop", 0.25)]
