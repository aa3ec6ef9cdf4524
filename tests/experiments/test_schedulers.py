"""Schedulers stop the worse trials, and never the default configuration."""

from __future__ import annotations

import pytest
from ray.tune.schedulers import TrialScheduler

from experiments.schedulers import SCHEDULERS, grace_period

STOPPING = ("asha", "hyperband", "median")


class Trial:
    """As much of Ray's trial as the schedulers look at."""

    def __init__(self, number: int, *, spared: bool = False, seed: int = 0) -> None:
        self.trial_id = str(number)
        self.config = {"spared": spared, "seed": seed}


class Controller:
    """Ray's controller, with no trial waiting."""

    def get_live_trials(self) -> list[Trial]:
        return []


def decisions(scheduler: TrialScheduler, trial: Trial, value: float, epochs: int) -> list[str]:
    """Of a trial whose value stays the same, until it is stopped."""
    scheduler.on_trial_add(Controller(), trial)
    made = []
    for epoch in range(1, epochs + 1):
        result = {"epoch": epoch, "value": value, "training_iteration": epoch}
        made.append(scheduler.on_trial_result(Controller(), trial, result))
        if made[-1] == TrialScheduler.STOP:
            break
    return made


@pytest.mark.parametrize("name", STOPPING)
def test_a_trial_behind_the_others_is_stopped_early(name):
    scheduler = SCHEDULERS[name](9)
    for number in range(4):
        decisions(scheduler, Trial(number), 0.5, epochs=9)
    made = decisions(scheduler, Trial(9), 0.1, epochs=9)
    assert made[-1] == TrialScheduler.STOP
    assert len(made) < 9


@pytest.mark.parametrize("name", STOPPING)
def test_the_default_configuration_is_trained_to_the_end(name):
    scheduler = SCHEDULERS[name](9)
    for number in range(4):
        decisions(scheduler, Trial(number), 0.5, epochs=9)
    made = decisions(scheduler, Trial(9, spared=True), 0.1, epochs=9)
    assert made == [TrialScheduler.CONTINUE] * 9


@pytest.mark.parametrize("name", STOPPING)
def test_the_default_configuration_counts_when_others_are_judged(name):
    scheduler = SCHEDULERS[name](9)
    for number in range(4):
        decisions(scheduler, Trial(number, spared=True), 0.5, epochs=9)
    assert decisions(scheduler, Trial(9), 0.1, epochs=9)[-1] == TrialScheduler.STOP


@pytest.mark.parametrize("name", STOPPING)
def test_a_trial_ahead_of_the_others_is_trained_to_the_end(name):
    scheduler = SCHEDULERS[name](9)
    for number in range(4):
        decisions(scheduler, Trial(number), 0.5, epochs=9)
    assert len(decisions(scheduler, Trial(9), 0.9, epochs=9)) == 9


def test_none_stops_nothing():
    scheduler = SCHEDULERS["none"](9)
    for number, value in enumerate((0.9, 0.8, 0.1)):
        assert decisions(scheduler, Trial(number), value, epochs=9) == [TrialScheduler.CONTINUE] * 9


def test_no_trial_is_paused_while_another_waits():
    class Busy(Controller):
        def get_live_trials(self):
            waiting = Trial(7)
            waiting.status = "PENDING"
            return [waiting]

    scheduler = SCHEDULERS["median"](9)
    trial = Trial(0)
    scheduler.on_trial_add(Busy(), trial)
    decision = scheduler.on_trial_result(Busy(), trial, {"epoch": 3, "value": 0.1})
    assert decision == TrialScheduler.CONTINUE


def test_a_bracket_follows_from_the_seed_of_the_trial():
    def bracket(seed: int) -> int:
        scheduler = SCHEDULERS["hyperband"](27)
        trial = Trial(0, seed=seed)
        scheduler.on_trial_add(Controller(), trial)
        return scheduler._brackets.index(scheduler._trial_info[trial.trial_id])

    assert [bracket(seed) for seed in range(20)] == [bracket(seed) for seed in range(20)]
    assert {bracket(seed) for seed in range(20)} == {0, 1, 2}


@pytest.mark.parametrize(("epochs", "expected"), [(1, 1), (3, 1), (25, 2), (300, 33)])
def test_every_trial_is_given_a_ninth_of_the_epochs(epochs, expected):
    assert grace_period(epochs) == expected


@pytest.mark.parametrize("name", SCHEDULERS)
def test_one_epoch_is_enough_for_every_scheduler(name):
    assert decisions(SCHEDULERS[name](1), Trial(0, spared=True), 0.1, epochs=1) == [TrialScheduler.CONTINUE]
