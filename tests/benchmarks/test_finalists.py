"""Races in worlds that recorded curves may have come from, with the rules of `experiments`."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.finalists import RULES, Rule, by_turns, outcomes, race, searched
from benchmarks.replay.posterior import Worlds, grid_worlds, halved, wide_worlds

VALUES = np.array([[0.52, 0.48, 0.51, 0.50], [0.51, 0.49, 0.50, 0.50], [0.10, 0.11, 0.10, 0.10]])


def test_by_turns_all_have_as_many_seeds_and_the_best_mean_wins():
    assert race(by_turns(3, 2), VALUES, [None] * 3) == (0, 6)


def test_without_finalists_the_best_trial_ships():
    assert race(by_turns(1, 0), VALUES, [0.5] * 3) == (0, 0)


def test_a_race_stops_at_its_bounds():
    place, runs = race(Rule(name="race", finalists=3, seeds=3, runs=7), VALUES, [None] * 3)
    assert place in (0, 1)
    assert runs == 7


def test_trials_count_only_where_the_rule_says_so():
    trials = [0.5, 0.9, 0.1]
    counted, ignored = (by_turns(3, 1, trials_count=counts) for counts in (True, False))
    assert race(counted, VALUES, trials)[0] == 1
    assert race(ignored, VALUES, trials)[0] == 0


def test_every_rule_takes_its_bounds_from_what_is_drawn():
    assert all(rule.finalists <= 8 and rule.seeds <= 24 and rule.runs <= rule.finalists * rule.seeds for rule in RULES)


@pytest.fixture(scope="module")
def worlds(table) -> Worlds:
    return grid_worlds(table, 40, seed=1)


def test_worth_is_the_mean_over_trainings(worlds):
    rng = np.random.default_rng(0)
    several = np.tile(np.arange(30).repeat(400), (40, 1))
    means = worlds.drawn(several, rng)[..., -1].reshape(40, 30, 400).mean(axis=2)
    np.testing.assert_allclose(means, worlds.worth, rtol=0.05)


def test_worth_varies_over_worlds_about_what_was_recorded(worlds, table):
    assert np.corrcoef(worlds.worth.mean(axis=0), table.values)[0, 1] > 0.99
    assert (worlds.worth.std(axis=0) > 0).all()


def test_worlds_of_a_wide_space_are_points_of_it(model):
    worlds = wide_worlds(model, 5, seed=1)
    assert worlds.worth.shape[0] == 5
    assert worlds.trainings.shape[2] == model.max_epochs
    assert worlds.worth.mean() < model.best


def test_halving_trains_survivors_to_their_end_and_ranks_by_what_was_reached(worlds):
    found = halved(worlds, trials=30, rungs=(1, 4), reduction=4, survivors=4, seed=1)
    assert (found.is_complete.sum(axis=1) == 4).all()
    assert (np.diff(found.values, axis=1) <= 0).all()
    assert (found.regrets.min(axis=1) == 0).all()
    assert all(len(set(tried)) == 30 for tried in found.configurations.tolist())


def test_more_runs_leave_less_regret(worlds):
    found, values = searched(worlds, 30, 1, seed=1)
    few, many = (outcomes(Rule(name="race", finalists=6, seeds=24, runs=runs), found, values)[0] for runs in (6, 60))
    assert many.mean() <= few.mean()
