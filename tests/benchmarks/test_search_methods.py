"""The searches that are compared: each is the real one, and behaves as the real one does."""

from __future__ import annotations

from functools import partial

import pytest

from benchmarks.recorded_space import recorded_space
from benchmarks.replay.curve_model import CurveModel
from benchmarks.replay.in_full import at_random, in_random_order
from benchmarks.replay.methods import DEFAULT, EXHAUSTIVE, PLAIN_RAY, PLAIN_RAY_IN_FULL, default_method, methods_for
from benchmarks.replay.optuna_alone import OptunaAlone
from benchmarks.replay.ours import Ours
from benchmarks.replay.plain_ray import PlainRay
from benchmarks.replay.table import CurveTable
from benchmarks.replay.world import Job, Report, Step, replay
from experiments.tuning.engine.proposals import configuration
from experiments.tuning.optimizer.samplers import SAMPLERS
from experiments.tuning.optimizer.schedulers import SCHEDULERS
from narm.config import Config
from search_spaces.space import load_space

ours = partial(Ours, sampler=SAMPLERS["tpe"], scheduler=SCHEDULERS["asha"].make)


def epochs_by_trial(steps: list[Step]) -> dict[int, int]:
    return {trial: sum(step.trial == trial for step in steps) for trial in {step.trial for step in steps}}


@pytest.mark.parametrize("search", [ours, PlainRay, OptunaAlone, in_random_order])
def test_the_same_seed_gives_the_same_search(table: CurveTable, search) -> None:
    once, again, other = (replay(search(table, seed, 8), table, seed=seed) for seed in (3, 3, 4))
    assert once == again
    assert once != other


@pytest.mark.parametrize("search", [ours, PlainRay, OptunaAlone, in_random_order])
def test_there_are_as_many_trials_as_were_asked_for(table: CurveTable, search) -> None:
    assert set(epochs_by_trial(replay(search(table, 1, 7), table, seed=1))) == set(range(7))


@pytest.mark.parametrize("search", [ours, PlainRay, OptunaAlone])
def test_multi_fidelity_trains_few_trials_to_their_end(table: CurveTable, search) -> None:
    steps = replay(search(table, 1, 30), table, seed=1)
    full = replay(in_random_order(table, 1, 30), table, seed=1)
    assert len(steps) < len(full) / 2


def test_ours_begins_with_the_default_configuration_and_tries_nothing_twice(table: CurveTable) -> None:
    steps = replay(ours(table, 1, 30), table, seed=1)
    assert steps[0].params == table.space.from_options(Config.from_flat({}))
    assert len({configuration(step.params) for step in steps}) == 30


def test_plain_ray_repeats_configurations(table: CurveTable) -> None:
    steps = replay(PlainRay(table, 1, 30), table, seed=1)
    assert len({configuration(step.params) for step in steps}) < 30


def test_plain_ray_stops_at_the_rungs_of_asha_and_nowhere_else(table: CurveTable) -> None:
    steps = replay(PlainRay(table, 1, 30), table, seed=1)
    ends = {len(curve) for of_one in table.curves for curve in of_one}
    assert set(epochs_by_trial(steps).values()) <= {1, 4} | ends


def test_the_searcher_of_plain_ray_learns_of_every_end_and_not_of_the_epoch_at_which_asha_stops(
    table: CurveTable,
) -> None:
    search = PlainRay(table, 1, 12)
    epochs = epochs_by_trial(replay(search, table, seed=1))
    trials = search._searcher._ot_study.trials
    assert {trial.state.name for trial in trials} == {"COMPLETE"}  # also those that ASHA stopped: that is Ray's way
    told = {trial.number: len(trial.intermediate_values) for trial in trials}
    stopped = {number for number in epochs if epochs[number] in (1, 4, table.max_epochs)}  # and at its last epoch
    assert stopped
    assert all(told[number] == epochs[number] - (number in stopped) for number in epochs)


def test_optuna_alone_prunes(table: CurveTable) -> None:
    search = OptunaAlone(table, 1, 20)
    replay(search, table, seed=1)
    assert {trial.state.name for trial in search._study.trials} == {"COMPLETE", "PRUNED"}


def test_an_exhaustive_search_trains_every_configuration_to_its_end(table: CurveTable) -> None:
    steps = replay(in_random_order(table, 1, 30), table, seed=1, workers=1)
    assert {table.index(step.params) for step in steps} == set(range(30))
    last = {step.trial: step for step in steps}
    assert all(step.value == step.ceiling for step in last.values())


def test_recbole_gives_up_after_trials_without_a_new_best(table: CurveTable) -> None:
    search = in_random_order(table, 1, 30, patience=2)
    for trial, value in enumerate((0.3, 0.2, 0.5, 0.5)):
        assert search.next() == Job(trial=trial, params=search.points[trial])
        search.reported(trial, Report(epoch=1, value=0.1, final=False, stopped_early=False))
        search.reported(trial, Report(epoch=2, value=value, final=True, stopped_early=True))
    assert search.next() is not None
    search.reported(4, Report(epoch=1, value=0.4, final=True, stopped_early=True))
    assert search.next() is None


def test_every_sampler_and_scheduler_that_a_finite_space_allows_is_compared() -> None:
    names = set(methods_for(load_space("recbole")))
    assert {DEFAULT, PLAIN_RAY, EXHAUSTIVE} < names
    assert {
        f"ours: {sampler}, {scheduler}" for sampler in ("tpe", "random", "qmc", "gp") for scheduler in ("asha", "none")
    } < names
    assert not any("cmaes" in name for name in names)  # it needs numeric ranges


def test_a_wide_space_has_no_exhaustive_search_and_few_of_the_slow_ones() -> None:
    names = set(methods_for(recorded_space("narm")))
    assert {name for name in names if "gp" in name} == {
        "ours: gp, asha",
        "ours: gp, asha, reduction 4, grace 2",
        "ours: gp, asha, reduction 4, grace 4",
    }
    assert not any(EXHAUSTIVE in name or "cmaes" in name or name == PLAIN_RAY_IN_FULL for name in names)


@pytest.mark.parametrize("space", ["narm", "recbole"])
def test_the_default_is_compared(space: str) -> None:
    assert default_method(recorded_space(space), 100) in methods_for(recorded_space(space))
    assert default_method(load_space("recbole"), 30) == DEFAULT


@pytest.mark.parametrize("search", [ours, PlainRay, OptunaAlone, at_random])
def test_a_wide_space_is_searched_with_any_number_of_trials(model: CurveModel, search) -> None:
    once, again = (replay(search(model, 3, 25), model, seed=3) for _ in range(2))
    assert set(epochs_by_trial(once)) == set(range(25))
    assert once == again
    assert len({configuration(step.params) for step in once}) == 25


def test_random_search_in_a_wide_space_has_its_points_from_the_seed(model: CurveModel) -> None:
    search = at_random(model, 1, 20)
    assert all(model.space.contains(dict(point)) for point in search.points)
    assert search.points != at_random(model, 2, 20).points


def test_a_trial_without_early_stopping_costs_all_its_epochs(table: CurveTable) -> None:
    stopping, not_stopping = (
        methods_for(table.space)[name].run(table, 0, 30) for name in (PLAIN_RAY, PLAIN_RAY_IN_FULL)
    )
    assert not_stopping.epochs > stopping.epochs
