"""The table of learning curves, as searches see it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution

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
    regrets = table.regrets()
    assert regrets[table.values.argmax()] == 0
    np.testing.assert_allclose(table.values, (1 - regrets) * table.values.max())


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


def test_a_wide_space_has_the_recorded_points_and_the_seeds_that_all_of_them_have(
    wide_curves: pd.DataFrame, wide_table: CurveTable
) -> None:
    recorded = {params: json.loads(params) for params in wide_curves["params"]}
    assert sorted(map(json.dumps, wide_table.configurations)) == sorted(recorded)  # in the file's order, too
    assert wide_table.n_seeds == 1  # the second seed of some is not complete
    for params, point in recorded.items():
        rows = wide_curves[(wide_curves["params"] == params) & (wide_curves["seed"] == 0)]
        curve = wide_table.curves[wide_table.index(point)][0]
        np.testing.assert_array_equal(curve, rows["mrr_at_10"].cummax().to_numpy())


def test_a_second_seed_counts_once_every_point_has_it(wide_curves: pd.DataFrame) -> None:
    both = wide_curves[wide_curves.groupby("params")["seed"].transform("nunique") == 2]
    table = curve_table(both, load_space("narm"), "mrr_at_10")
    assert (len(table.configurations), table.n_seeds) == (7, 2)


def test_a_recorded_point_that_the_space_has_no_longer_is_left_out(wide_curves: pd.DataFrame) -> None:
    narrow = load_space("narm")
    parameters = [parameter for parameter in narrow.parameters if parameter.name != "n_layers"]
    one_layer = replace(
        next(p for p in narrow.parameters if p.name == "n_layers"), distribution=CategoricalDistribution([1])
    )
    table = curve_table(wide_curves, replace(narrow, parameters=(*parameters, one_layer)), "mrr_at_10")
    assert 2 <= len(table.configurations) < 60
    assert {point["n_layers"] for point in table.configurations} == {1}


def test_a_wide_space_needs_two_recorded_points(curves: pd.DataFrame, wide_curves: pd.DataFrame) -> None:
    for rows, number in ((curves, 0), (wide_curves.head(1), 1)):
        with pytest.raises(InputError, match=f"{number} configurations of narm are there.*run `python -m"):
            curve_table(rows, load_space("narm"), "mrr_at_10")
