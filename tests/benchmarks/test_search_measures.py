"""What a search came to, on steps written by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.replay.measures import Outcome, expected_epochs, incumbents, outcome
from benchmarks.replay.table import CurveTable
from benchmarks.replay.world import Step
from search_spaces.space import load_space


@pytest.fixture
def three() -> CurveTable:
    """Three configurations worth 1.0, 0.995 and 0.5, two seeds each."""
    curves = [[[0.6, 0.9], [0.7, 1.1]], [[0.2, 0.995], [0.2, 0.995]], [[0.8, 0.8], [0.2, 0.2]]]
    return CurveTable(
        space=load_space("recbole"),
        configurations=({"a": 0}, {"a": 1}, {"a": 2}),
        curves=tuple(tuple(np.array(curve) for curve in of_one) for of_one in curves),
    )


def step(trial: int, configuration: int, value: float, ceiling: float) -> Step:
    return Step(trial=trial, configuration=configuration, value=value, ceiling=ceiling)


LUCKY = step(0, 2, 0.8, 0.8)  # the worst configuration, with its lucky seed


def test_the_incumbent_has_the_best_value_seen_and_the_earlier_of_equals_stays() -> None:
    steps = [LUCKY, step(1, 1, 0.2, 0.995), step(2, 0, 0.8, 1.1), step(2, 0, 1.1, 1.1)]
    assert incumbents(steps).tolist() == [2, 2, 2, 0]


def test_epochs_are_counted_until_the_incumbent_is_worth_within_a_percent(three: CurveTable) -> None:
    came_to = outcome([LUCKY, step(1, 1, 0.2, 0.995), step(1, 1, 0.995, 0.995)], three)
    assert (came_to.epochs, came_to.trials, came_to.duplicates) == (3, 2, 0)
    assert (came_to.reached(0.01), came_to.found) == (3, 3)
    np.testing.assert_allclose(came_to.regrets, [0.5, 0.5, 0.005])
    assert came_to.regret_after(2) == pytest.approx(0.5)
    assert came_to.regret_after(99) == pytest.approx(0.005)


def test_a_good_configuration_may_be_found_and_not_recognised(three: CurveTable) -> None:
    came_to = outcome([step(0, 0, 0.6, 0.6), step(1, 2, 0.8, 0.8), step(2, 0, 0.7, 0.7)], three)
    assert (came_to.reached(0.01), came_to.found, came_to.regrets[-1]) == (1, 1, 0.5)
    came_to = outcome([LUCKY, step(1, 0, 0.7, 0.7)], three)
    assert (came_to.reached(0.01), came_to.until(0.01), came_to.found) == (None, 2, 2)
    assert came_to.reached(0.5) == 1


def test_found_means_trained_to_the_end_of_its_own_curve(three: CurveTable) -> None:
    came_to = outcome([step(0, 0, 0.7, 1.1), step(0, 0, 1.09, 1.1)], three)
    assert (came_to.reached(0.01), came_to.found) == (1, 2)


def test_another_trial_of_a_configuration_is_a_duplicate(three: CurveTable) -> None:
    steps = [LUCKY, step(1, 2, 0.2, 0.2), step(0, 2, 0.8, 0.8), step(2, 1, 0.2, 0.995)]
    assert outcome(steps, three).duplicates == 1


def test_trials_with_the_same_nearest_point_are_no_duplicates(three: CurveTable) -> None:
    wide = replace(three, space=load_space("narm"))
    assert outcome([LUCKY, step(1, 2, 0.2, 0.2)], wide).duplicates is None


def test_expected_epochs_count_what_searches_without_success_spent() -> None:
    def search(epochs: int, reached: int | None) -> Outcome:
        regrets = np.full(epochs, 0.5)
        if reached is not None:
            regrets[reached - 1 :] = 0
        return Outcome(epochs=epochs, trials=1, duplicates=0, found=None, regrets=regrets)

    assert expected_epochs([search(100, 30), search(50, None), search(80, 20)]) == (30 + 50 + 20) / 2
    assert expected_epochs([search(50, None)]) == float("inf")
