"""Points of a Sobol sequence as values of parameters."""

from __future__ import annotations

from collections import Counter

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from scipy.stats import qmc

from experiments.tuning.optimizer.sobol import SobolSampler, quantile

SQUARE = {"x": FloatDistribution(0, 1), "y": FloatDistribution(0, 1)}


def point(index: int, space: dict[str, BaseDistribution], seed: int = 1) -> dict[str, float]:
    trial = optuna.create_trial(state=optuna.trial.TrialState.RUNNING)
    return SobolSampler(seed=seed, index=index).sample_relative(optuna.create_study(), trial, space)


def test_points_drawn_one_by_one_are_one_sequence():
    sequence = qmc.Sobol(2, scramble=True, rng=np.random.default_rng(1)).random(8)
    assert [list(point(index, SQUARE).values()) for index in range(8)] == sequence.tolist()


def test_another_seed_is_another_sequence():
    assert point(3, SQUARE, seed=2) != point(3, SQUARE)


def test_a_space_without_parameters_has_one_point():
    assert point(5, {}) == {}


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        (CategoricalDistribution(["a", "b", "c"]), ["a", "b", "c"]),
        (IntDistribution(3, 5), [3, 4, 5]),
        (IntDistribution(32, 96, step=32), [32, 64, 96]),
        (FloatDistribution(0.1, 0.3, step=0.1), [0.1, 0.2, 0.3]),
    ],
)
def test_every_value_of_a_finite_parameter_has_the_same_share(distribution, expected):
    drawn = Counter(quantile(distribution, (n + 0.5) / 30) for n in range(30))
    assert drawn == dict.fromkeys(expected, 10)


@pytest.mark.parametrize(
    "distribution",
    [
        FloatDistribution(1e-4, 1e-2, log=True),
        FloatDistribution(0.0, 0.5),
        FloatDistribution(0.3, 0.3),
        IntDistribution(1, 1000, log=True),
        IntDistribution(7, 7),
    ],
)
def test_a_range_is_drawn_from_its_lowest_to_its_highest_value(distribution):
    drawn = [quantile(distribution, share) for share in np.linspace(0, 1, 500, endpoint=False)]
    assert drawn == sorted(drawn)
    assert distribution.low <= drawn[0] == pytest.approx(distribution.low)
    assert distribution.high >= drawn[-1] == pytest.approx(distribution.high, rel=0.02)
    assert all(isinstance(value, type(distribution.low)) for value in drawn)


def test_a_logarithmic_range_is_halved_at_its_geometric_mean():
    assert quantile(FloatDistribution(1e-4, 1e-2, log=True), 0.5) == pytest.approx(1e-3)
