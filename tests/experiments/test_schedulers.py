"""Who goes on, from curves alone."""

from __future__ import annotations

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from experiments.schedulers import SCHEDULERS
from experiments.schedulers.halving import rungs
from experiments.schedulers.policy import Curve, CurveState, Offspring, Promotion, Scheduler, Settings, Verdict
from experiments.schedulers.population import perturbed

EPOCHS = 9
MUTABLE = {"learning_rate": FloatDistribution(1e-4, 1e-2, log=True)}


def scheduler(name: str, trials: int = 30) -> Scheduler:
    return SCHEDULERS[name](Settings(epochs=EPOCHS, trials=trials, mutable=MUTABLE))


def curve(number: int, *values: float, state: CurveState = "running", spared: bool = False) -> Curve:
    params = {"learning_rate": 0.001 * (number + 1)}
    return Curve(number=number, state=state, values=dict(enumerate(values, 1)), params=params, spared=spared)


@pytest.mark.parametrize(
    ("epochs", "grace", "reduction", "expected"), [(100, 3, 4, (3, 12, 48)), (9, 1, 3, (1, 3)), (1, 1, 3, ())]
)
def test_rungs(epochs, grace, reduction, expected):
    assert rungs(epochs, grace, reduction) == expected


def test_asha_holds_up_whoever_is_not_among_the_best_third():
    behind, ahead = curve(0, 0.1), curve(3, 0.4)
    others = [curve(1, 0.2, state="paused"), curve(2, 0.3, state="paused")]
    asha = scheduler("asha")
    assert asha.judge(behind, [behind]) is Verdict.PAUSE
    assert asha.judge(ahead, [behind, *others, ahead]) is Verdict.CONTINUE


def test_asha_promotes_the_best_that_waits_on_the_highest_rung():
    paused = [curve(n, 0.1 * n, state="paused") for n in range(6)]
    assert scheduler("asha").next(paused[:2]) is None
    assert scheduler("asha").next(paused) == Promotion(5)
    higher = [curve(n, 0.1 * n, 0.1 * n, 0.5 + 0.1 * n, state="paused") for n in range(6, 9)]
    assert scheduler("asha").next([*paused, *higher]) == Promotion(8)


def test_a_trial_that_ended_by_itself_keeps_its_value_on_later_rungs():
    assert curve(0, 0.1, state="complete").at(5) == 0.1
    assert curve(0, 0.1, state="stopped").at(5) is None


@pytest.mark.parametrize("name", SCHEDULERS)
def test_the_default_configuration_is_never_held_up(name):
    spared = curve(9, 0.0, 0.0, 0.0, spared=True)
    others = [curve(n, 0.5, 0.5, 0.5) for n in range(5)]
    assert scheduler(name).judge(spared, [*others, spared]) is Verdict.CONTINUE


def test_the_brackets_of_hyperband_do_not_compete():
    hyperband = scheduler("hyperband")
    verdicts = {hyperband.judge(trial, [trial]) for trial in (curve(number, 0.1) for number in range(40))}
    assert verdicts == {Verdict.PAUSE, Verdict.CONTINUE}  # one bracket begins at epoch 1, others later


def test_the_median_rule_stops_what_lies_below():
    others = [curve(n, 0.2) for n in range(3)]
    low, high = curve(8, 0.1), curve(9, 0.3)
    assert scheduler("median").judge(low, [*others, low]) is Verdict.STOP
    assert scheduler("median").judge(high, [*others, high]) is Verdict.CONTINUE
    assert scheduler("median").judge(low, [*others[:2], low]) is Verdict.CONTINUE  # two others say nothing


def test_the_worst_of_a_population_takes_over_from_the_best():
    population = [curve(n, 0.1 * (n + 1), state="paused") for n in range(8)]
    pbt = scheduler("pbt", trials=12)
    found = pbt.next(population)
    assert isinstance(found, Offspring)
    assert found.instead_of == 0
    assert found.parent in (6, 7)
    assert found.params["learning_rate"] != population[found.parent].params["learning_rate"]
    assert pbt.next(population[4:]) == Promotion(4) or isinstance(pbt.next(population[4:]), Offspring)
    assert scheduler("pbt", trials=8).next(population) == Promotion(0)  # there may be no more trials


def test_a_perturbed_value_is_near_and_inside():
    import numpy as np

    rng = np.random.default_rng(0)
    assert perturbed(IntDistribution(32, 256, step=32), 64, rng) in (32, 64, 96)
    assert perturbed(FloatDistribution(0.1, 1.0), 1.0, rng) in (0.8, 1.0)
    assert perturbed(CategoricalDistribution([1, 2, 3]), 2, rng) in (1, 3)


def test_none_stops_nothing():
    behind = curve(9, 0.0)
    assert scheduler("none").judge(behind, [behind, *(curve(n, 0.5) for n in range(9))]) is Verdict.CONTINUE
    assert scheduler("none").next([behind]) is None
