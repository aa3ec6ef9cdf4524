"""The recipe beside the default configuration: its options, one run, and what is said of several."""

from __future__ import annotations

from benchmarks.recipe import Run, recipe_options, sentence, train
from narm.config import DataConfig

SYNTHETIC = DataConfig(dataset="synthetic")


def test_a_run_of_the_recipe_is_judged_on_validation_and_once_on_test():
    options = {**recipe_options(SYNTHETIC, {}), "epochs": 1, "embedding_size": 8, "hidden_size": 8}
    row = train(Run(configuration="recipe", data=SYNTHETIC, options=options, seed=3))
    assert (row["data"], row["configuration"], row["seed"], row["epochs"]) == ("synthetic", "recipe", "3", 1)
    assert all(0 < row[f"{split} {metric}"] < 1 for split in ("valid", "test") for metric in ("mrr", "recall"))


def test_a_difference_has_the_interval_of_welch():
    rows = [
        {"configuration": of, "test mrr": value}
        for of, values in {"recipe": (0.30, 0.32), "default": (0.20, 0.22)}.items()
        for value in values
    ]
    # both deviate by 0.01414 / sqrt(2) from their means: 0.1 +- 4.3027 (t, 2 degrees of freedom) * 0.01414
    assert sentence(rows, "test mrr") == "test mrr 0.3100 and 0.2100, a difference of +0.1000 [+0.0392, +0.1608]"
