"""The model of curves: it knows the surface that it has seen points of, and the noise of its seeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution

from benchmarks.curves import random_points
from benchmarks.recorded_space import recorded_space
from benchmarks.replay.curve_model import FOLDS, CurveModel, Trainings, curve_model
from narm.errors import InputError


def at(model: CurveModel, learning_rate: float) -> dict[str, object]:
    return {**random_points(model.space, 1, 5)[0], "learning_rate": learning_rate}


def test_a_point_that_nobody_trained_is_worth_what_the_surface_is_there(model: CurveModel) -> None:
    # the fixture's surface is a parabola of the learning rate's logarithm, best at 10 ** -2.5
    best, apart, low = (model.regret(at(model, 10**exponent)) for exponent in (-2.5, -3.2, -4))
    assert best == pytest.approx(0, abs=0.03)
    assert apart == pytest.approx(0.012 * 0.7**2 / 0.05, abs=0.05)
    assert low == pytest.approx(0.012 * 1.5**2 / 0.05, abs=0.08)


def test_no_point_is_above_the_best(model: CurveModel) -> None:
    assert min(model.regret(point) for point in random_points(model.space, 200, 3)) >= 0


def test_a_training_only_gets_better_and_has_the_noise_of_seeds(model: CurveModel) -> None:
    params = at(model, 1e-3)
    curves = np.array([model.curve(params, 0, repetition) for repetition in range(50)])
    assert curves.shape == (50, model.max_epochs)
    assert (np.diff(curves, axis=1) >= 0).all()
    spread = curves[:, -1].std() / curves[:, -1].mean()
    assert spread == pytest.approx(model.trainings.deviations()[:, -1].std(), rel=0.5)


def test_searches_with_the_same_seed_see_the_same_trainings(model: CurveModel) -> None:
    params = at(model, 1e-3)
    np.testing.assert_array_equal(model.curve(params, 7, 1), model.curve(dict(reversed(params.items())), 7, 1))
    assert len({model.curve(params, seed, 0)[-1] for seed in range(10)}) > 1


def test_deviations_are_those_of_points_with_several_seeds(model: CurveModel) -> None:
    curves = np.array([[1.0, 2.0], [3.0, 2.0], [5.0, 5.0]])
    trainings = Trainings(features=np.zeros((3, 1)), curves=curves, points=np.array([4, 4, 9]))
    # half of the mean away from it, either way, and the root of 2 more since the mean is of two
    np.testing.assert_allclose(trainings.deviations(), 2**0.5 * np.array([[-0.5, 0], [0.5, 0]]))
    assert len(model.trainings.deviations()) == 14


def test_a_point_is_left_out_with_all_its_seeds() -> None:
    # two trainings a point, the same to the last digit, of values that nothing tells: a leak would tell them
    rng = np.random.default_rng(0)
    features, values = rng.random((40, 2)), rng.random((40, 1)).repeat(2, axis=1)
    twice = Trainings(
        features=np.repeat(features, 2, axis=0),
        curves=np.repeat(values, 2, axis=0),
        points=np.repeat(np.arange(40), 2),
    )
    assert abs(np.corrcoef(twice.left_out(), twice.curves[:, -1])[0, 1]) < 0.4


def test_a_training_that_stopped_early_counts_as_if_it_had_gone_on(wide_curves: pd.DataFrame) -> None:
    model = curve_model(wide_curves, recorded_space("narm"), "mrr_at_10")
    lengths = wide_curves.groupby(["params", "seed"]).size()
    assert lengths.min() < lengths.max() == model.max_epochs
    best = wide_curves.groupby(["params", "seed"])["mrr_at_10"].max()
    assert sorted(model.trainings.curves[:, -1]) == sorted(best)


def test_a_recorded_point_that_the_space_has_no_longer_is_left_out(wide_curves: pd.DataFrame) -> None:
    narrow = recorded_space("narm")
    parameters = [parameter for parameter in narrow.parameters if parameter.name != "n_layers"]
    one_layer = replace(
        next(p for p in narrow.parameters if p.name == "n_layers"), distribution=CategoricalDistribution([1])
    )
    model = curve_model(wide_curves, replace(narrow, parameters=(*parameters, one_layer)), "mrr_at_10")
    recorded = wide_curves[wide_curves["params"].str.contains('"n_layers": 1')]
    assert model.trainings.n_points == recorded["params"].nunique() < wide_curves["params"].nunique()


def test_too_little_to_learn_from_is_an_error_that_says_how_to_train_more(
    curves: pd.DataFrame, wide_curves: pd.DataFrame
) -> None:
    one_seed = wide_curves[wide_curves["seed"] == 0]
    few = wide_curves[wide_curves["params"].isin(wide_curves["params"].unique()[: FOLDS - 1])]
    for rows, told in ((curves, "0 and 0"), (one_seed, "60 and 0"), (few, f"{FOLDS - 1} and 7")):
        with pytest.raises(InputError, match=f"of narm there are {told}: run `python -m benchmarks.curves"):
            curve_model(rows, recorded_space("narm"), "mrr_at_10")
