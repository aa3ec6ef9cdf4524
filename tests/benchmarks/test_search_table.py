"""The table of learning curves, as searches see it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.replay.table import CurveTable, curve_table
from narm.errors import InputError
from search_spaces.space import load_space


def test_a_table_has_every_configuration_of_the_space(table: CurveTable) -> None:
    assert list(table.configurations) == list(load_space("recbole").grid())
    assert [table.index(params) for params in table.configurations] == list(range(30))
    assert table.n_seeds == 3


def test_curves_are_the_best_so_far_in_the_order_of_epochs(curves: pd.DataFrame) -> None:
    shuffled = curves.sample(frac=1, random_state=1)
    table = curve_table(shuffled, load_space("recbole"), "recall_at_10")
    one = curves[(curves["params"] == curves["params"].iloc[0]) & (curves["seed"] == 1)]
    np.testing.assert_array_equal(table.curves[0][1], one["recall_at_10"].cummax().to_numpy())


def test_a_configuration_is_worth_the_mean_over_seeds_of_its_best(curves: pd.DataFrame, table: CurveTable) -> None:
    best = curves.groupby(["params", "seed"], sort=False)["mrr_at_10"].max().groupby("params", sort=False).mean()
    np.testing.assert_allclose(table.values, best.to_numpy())
    regrets = table.regrets
    assert regrets[table.values.argmax()] == 0
    np.testing.assert_allclose(table.values, (1 - regrets) * table.values.max())


def test_a_training_is_one_of_its_configurations_curves(table: CurveTable) -> None:
    params = table.configurations[4]
    drawn = {tuple(table.curve(params, 0, repetition)) for repetition in range(20)}
    assert drawn == {tuple(curve) for curve in table.curves[4]}
    assert table.regret(params) == table.regrets[4]


def test_without_early_stopping_every_curve_goes_on_to_the_last_epoch(table: CurveTable) -> None:
    padded = table.without_early_stopping()
    assert {len(curve) for of_one in padded.curves for curve in of_one} == {table.max_epochs}
    assert min(len(curve) for of_one in table.curves for curve in of_one) < table.max_epochs
    np.testing.assert_array_equal(padded.values, table.values)


def test_a_missing_curve_is_an_error_that_says_how_to_train_it(curves: pd.DataFrame) -> None:
    last = (curves["params"] == curves["params"].iloc[-1]) & (curves["seed"] == 2)
    with pytest.raises(InputError, match="1 of the 90 curves of recbole are missing: run `python -m"):
        curve_table(curves[~last], load_space("recbole"), "mrr_at_10")


def test_an_empty_table_lacks_every_curve(curves: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="30 of the 30 curves"):
        curve_table(curves.head(0), load_space("recbole"), "mrr_at_10")
