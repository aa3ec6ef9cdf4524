"""Which trials train on, from curves alone."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from experiments.tuning.optimizer.halving import SuccessiveHalving, rungs
from experiments.tuning.optimizer.population import perturbed
from experiments.tuning.optimizer.scheduler import (
    Curve,
    CurveState,
    Decision,
    Offspring,
    Promotion,
    Scheduler,
    Settings,
)
from experiments.tuning.optimizer.schedulers import SCHEDULERS

EPOCHS = 9
MUTABLE = {"learning_rate": FloatDistribution(1e-4, 1e-2, log=True)}


def scheduler(name: str, trials: int = 30) -> Scheduler:
    return SCHEDULERS[name].make(Settings(epochs=EPOCHS, trials=trials, mutable=MUTABLE))


def curve(number: int, *values: float, state: CurveState = "running", never_stopped: bool = False) -> Curve:
    params = {"learning_rate": 0.001 * (number + 1)}
    return Curve(
        number=number, state=state, values=dict(enumerate(values, 1)), params=params, never_stopped=never_stopped
    )


@pytest.mark.parametrize(
    ("epochs", "grace", "reduction", "expected"), [(100, 3, 4, (3, 12, 48)), (9, 1, 3, (1, 3)), (1, 1, 3, ())]
)
def test_rungs(epochs, grace, reduction, expected):
    assert rungs(epochs, grace, reduction) == expected


def halving(crowd: int = 1, survivors: int = 0) -> SuccessiveHalving:
    return SuccessiveHalving(((1, 3),), reduction=3, seed=0, crowd=crowd, survivors=survivors)


def waiting(numbers: range, *values: float) -> list[Curve]:
    """Paused trials, the later the better."""
    return [curve(n, *(value + 0.01 * n for value in values), state="paused") for n in numbers]


def test_halving_pauses_a_trial_that_is_not_among_the_best_third():
    behind, ahead = curve(0, 0.1), curve(3, 0.4)
    others = [curve(1, 0.2, state="paused"), curve(2, 0.3, state="paused")]
    assert halving().on_result(behind, [behind]) is Decision.PAUSE
    assert halving().on_result(ahead, [behind, *others, ahead]) is Decision.CONTINUE


def test_halving_promotes_the_best_paused_trial_of_the_highest_rung():
    paused = waiting(range(6), 0.1)
    assert halving().next(paused[:2], more=True) is None
    assert halving().next(paused, more=True) == Promotion(5)
    higher = waiting(range(6, 9), 0.1, 0.1, 0.5)
    assert halving().next([*paused, *higher], more=True) == Promotion(8)


def test_the_first_rung_waits_for_a_crowd_as_long_as_new_trials_come():
    crowded = halving(crowd=7)
    ahead = curve(6, 0.4)
    paused = waiting(range(6), 0.1)
    assert crowded.next(paused, more=True) is None
    assert crowded.on_result(curve(5, 0.4), [*paused[:5], curve(5, 0.4)]) is Decision.PAUSE
    assert crowded.on_result(ahead, [*paused, ahead]) is Decision.CONTINUE
    assert crowded.next([*paused, ahead], more=True) == Promotion(5)
    assert crowded.next(paused, more=False) == Promotion(5)


def test_in_the_end_rungs_are_settled_from_the_lowest_up():
    higher = waiting(range(6, 9), 0.1, 0.1, 0.5)
    assert halving().next([*waiting(range(3), 0.9), *higher], more=False) == Promotion(2)
    assert halving().next([*waiting(range(3), 0.0), *higher], more=False) == Promotion(8)


def test_in_the_end_so_many_survive_each_rung():
    last = waiting(range(4), 0.1, 0.1, 0.5)
    promoted = []
    while (found := halving(survivors=3).next(last, more=False)) is not None:
        promoted.append(found.number)
        last = [curve(c.number, 0.1, 0.1, 0.6, 0.6) if c.number == found.number else c for c in last]
    assert promoted == [3, 2, 1]


def test_in_the_end_a_trial_is_promoted_once_it_is_sure_of_a_place():
    on_its_way = [curve(8, 0.1, 0.1), curve(9, 0.1, 0.1)]
    arrived = waiting(range(3), 0.1, 0.1, 0.5)
    assert halving(survivors=2).next([*arrived, *on_its_way], more=False) == Promotion(2)  # as one of three on any rung
    assert halving(survivors=2).next([*arrived[:2], *on_its_way], more=False) is None
    assert halving(survivors=3).next([*arrived[:2], *on_its_way], more=False) == Promotion(1)


def test_in_the_end_a_rung_is_not_settled_before_the_one_below():
    below = curve(8), curve(9)  # in their first epoch: who will come from there is open
    assert halving(survivors=3).next([*waiting(range(2), 0.1, 0.1, 0.5), *below], more=False) is None


@pytest.mark.parametrize("seed", range(20))
def test_a_trial_promoted_early_would_have_been_promoted_in_the_end(seed):
    order = np.random.default_rng(seed).permutation(12)
    scheduler = SuccessiveHalving(((1, 3),), reduction=3, seed=0, crowd=50, survivors=2)
    arrived = [curve(int(n), 0.01 * n, state="paused") for n in order]
    for n_arrived in range(len(order)):
        coming = [curve(int(n)) for n in order[n_arrived:]]
        if (found := scheduler.next([*arrived[:n_arrived], *coming], more=False)) is not None:
            assert found.number >= 8  # four of twelve have a place
            break
    assert n_arrived < len(order) - 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("asha", 30 + 7 * 3 + 4 * 12 + 4 * 9),  # 30 to epoch 1, 7 to 4, 4 to 16, 4 to 25
        ("median", 30 * 25),
        ("none", 30 * 25),
        ("pbt", 7 * 25),
    ],
)
def test_the_epochs_to_train_at_most(name, expected):
    settings = Settings(epochs=25, trials=30, mutable=MUTABLE)
    assert SCHEDULERS[name].make(settings).most_epochs(30, 25) == expected


def test_the_brackets_of_hyperband_share_the_trials():
    hyperband = SCHEDULERS["hyperband"].make(Settings(epochs=25, trials=30, mutable=MUTABLE))
    assert 30 < hyperband.most_epochs(30, 25) < 30 * 25


def test_asha_gives_an_epoch_to_all_and_leaves_a_choice():
    asha = SCHEDULERS["asha"].make(Settings(epochs=25, trials=30, mutable=MUTABLE))
    assert asha == SuccessiveHalving(((1, 4, 16),), reduction=4, seed=0, crowd=50, survivors=4)


def test_a_trial_that_ended_by_itself_keeps_its_value_on_later_rungs():
    assert curve(0, 0.1, state="complete").at(5) == 0.1
    assert curve(0, 0.1, state="stopped").at(5) is None


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_trial_that_is_never_stopped_is_not_paused_either(name):
    never_stopped = curve(9, 0.0, 0.0, 0.0, never_stopped=True)
    others = [curve(n, 0.5, 0.5, 0.5) for n in range(5)]
    assert scheduler(name).on_result(never_stopped, [*others, never_stopped]) is Decision.CONTINUE


def test_the_brackets_of_hyperband_do_not_compete():
    hyperband = scheduler("hyperband")
    decisions = {hyperband.on_result(trial, [trial]) for trial in (curve(number, 0.1) for number in range(40))}
    assert decisions == {Decision.PAUSE, Decision.CONTINUE}  # one bracket begins at epoch 1, others later


def test_the_median_rule_stops_what_lies_below():
    others = [curve(n, 0.2) for n in range(3)]
    low, high = curve(8, 0.1), curve(9, 0.3)
    assert scheduler("median").on_result(low, [*others, low]) is Decision.STOP
    assert scheduler("median").on_result(high, [*others, high]) is Decision.CONTINUE
    assert scheduler("median").on_result(low, [*others[:2], low]) is Decision.CONTINUE  # two others say nothing


def test_the_worst_of_a_population_takes_over_from_the_best():
    population = [curve(n, 0.1 * (n + 1), state="paused") for n in range(8)]
    pbt = scheduler("pbt", trials=12)
    found = pbt.next(population, more=True)
    assert isinstance(found, Offspring)
    assert found.instead_of == 0
    assert found.parent in (6, 7)
    assert found.params["learning_rate"] != population[found.parent].params["learning_rate"]
    assert pbt.next(population[4:], more=True) == Promotion(4) or isinstance(
        pbt.next(population[4:], more=True), Offspring
    )
    assert scheduler("pbt", trials=8).next(population, more=False) == Promotion(0)  # there may be no more trials


def test_a_population_waits_for_its_members_as_long_as_they_can_come():
    assert scheduler("pbt", trials=12).next([curve(0, 0.1, state="paused")], more=True) is None
    assert scheduler("pbt", trials=12).next([curve(0, 0.1, state="paused")], more=False) == Promotion(0)


def test_a_perturbed_value_is_near_and_inside():
    rng = np.random.default_rng(0)
    assert perturbed(IntDistribution(32, 256, step=32), 64, rng) in (32, 64, 96)
    assert perturbed(FloatDistribution(0.1, 1.0), 1.0, rng) in (0.8, 1.0)
    assert perturbed(CategoricalDistribution([1, 2, 3]), 2, rng) in (1, 3)


def test_none_stops_nothing():
    behind = curve(9, 0.0)
    assert scheduler("none").on_result(behind, [behind, *(curve(n, 0.5) for n in range(9))]) is Decision.CONTINUE
    assert scheduler("none").next([behind], more=True) is None
