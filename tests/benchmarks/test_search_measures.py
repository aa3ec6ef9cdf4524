"""What a search came to, on steps written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.replay.measures import Outcome, expected_epochs, incumbents, outcome
from benchmarks.replay.world import Step

REGRETS = (0, 0.005, 0.5)  # of configurations worth 1.0, 0.995 and 0.5


def step(trial: int, configuration: int, value: float, ceiling: float) -> Step:
    params, regret = {"a": configuration}, REGRETS[configuration]
    return Step(trial=trial, params=params, regret=regret, value=value, ceiling=ceiling)


LUCKY = step(0, 2, 0.8, 0.8)  # the worst configuration, with its lucky seed


def test_the_incumbent_has_the_best_value_seen_and_the_earlier_of_equals_stays() -> None:
    steps = [LUCKY, step(1, 1, 0.2, 0.995), step(2, 0, 0.8, 1.1), step(2, 0, 1.1, 1.1)]
    assert [one.params["a"] for one in incumbents(steps)] == [2, 2, 2, 0]


def test_epochs_are_counted_until_the_incumbent_is_worth_within_a_percent() -> None:
    came_to = outcome([LUCKY, step(1, 1, 0.2, 0.995), step(1, 1, 0.995, 0.995)])
    assert (came_to.epochs, came_to.trials, came_to.duplicates) == (3, 2, 0)
    assert (came_to.reached(0.01), came_to.found) == (3, 3)
    np.testing.assert_allclose(came_to.regrets, [0.5, 0.5, 0.005])
    assert came_to.regret_after(2) == pytest.approx(0.5)
    assert came_to.regret_after(99) == pytest.approx(0.005)


def test_a_good_configuration_may_be_found_and_not_recognised() -> None:
    came_to = outcome([step(0, 0, 0.6, 0.6), step(1, 2, 0.8, 0.8), step(2, 0, 0.7, 0.7)])
    assert (came_to.reached(0.01), came_to.found, came_to.regrets[-1]) == (1, 1, 0.5)
    came_to = outcome([LUCKY, step(1, 0, 0.7, 0.7)])
    assert (came_to.reached(0.01), came_to.until(0.01), came_to.found) == (None, 2, 2)
    assert came_to.reached(0.5) == 1


def test_found_means_trained_to_the_end_of_its_own_curve() -> None:
    came_to = outcome([step(0, 0, 0.7, 1.1), step(0, 0, 1.09, 1.1)])
    assert (came_to.reached(0.01), came_to.found) == (1, 2)


def test_another_trial_of_a_configuration_is_a_duplicate() -> None:
    steps = [LUCKY, step(1, 2, 0.2, 0.2), step(0, 2, 0.8, 0.8), step(2, 1, 0.2, 0.995)]
    assert outcome(steps).duplicates == 1


def test_expected_epochs_count_what_searches_without_success_spent() -> None:
    def search(epochs: int, reached: int | None) -> Outcome:
        regrets = np.full(epochs, 0.5)
        if reached is not None:
            regrets[reached - 1 :] = 0
        return Outcome(epochs=epochs, trials=1, duplicates=0, found=None, regrets=regrets)

    assert expected_epochs([search(100, 30), search(50, None), search(80, 20)]) == (30 + 50 + 20) / 2
    assert expected_epochs([search(50, None)]) == float("inf")
