"""Each sampler has the property that it is chosen for, and goes on after a resume (figures: docs/decisions/0018)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import optuna
import pytest
from optuna.trial import create_trial
from scipy.stats import qmc

from experiments.tuning.engine.proposals import Proposer
from experiments.tuning.optimizer.samplers import SAMPLERS
from experiments.tuning.study import trial_attributes
from search_spaces.space import SearchSpace, load_space, parse_space

Point = tuple[float, float]

SQUARE = parse_space(
    "square",
    "square.yaml",
    "learning_rate: {low: 1.0e-4, high: 1.0, log: true}\nweight_decay: {low: 0.0, high: 1.0}",
)
CONDITIONAL = parse_space(
    "conditional",
    "conditional.yaml",
    """
    learning_rate: {low: 1.0e-4, high: 1.0, log: true}
    weight_decay: {low: 0.0, high: 1.0}
    loss_type: [CE, sampled_softmax]
    softmax_samples: {low: 256, high: 4096, log: true, when: {loss_type: sampled_softmax}}
    """,
)
OPTIMUM = (0.8, 0.3)
SEEDS = range(3)
SPACES = {"grid": load_space("recbole")}
"""Where a sampler cannot draw from the conditional space."""


def place(params: dict) -> Point:
    """Where a configuration of the square lies in the unit square."""
    return (1 + math.log10(params["learning_rate"]) / 4, params["weight_decay"])


def off_optimum(params: dict) -> float:
    return math.dist(place(params), OPTIMUM)


def draw(
    sampler: str,
    space: SearchSpace,
    trials: int,
    *,
    seed: int,
    value: Callable[[dict], float] = lambda params: 0.0,
    study: optuna.Study | None = None,
    is_resumed_before_every_trial: bool = False,
) -> list[dict]:
    """The configurations of a search that trains nothing."""
    study = study or optuna.create_study(direction="maximize")
    proposer = Proposer(SAMPLERS[sampler], space, seed)
    drawn = []
    for _ in range(trials):
        if is_resumed_before_every_trial:
            proposer = Proposer(SAMPLERS[sampler], space, seed)
        proposal = proposer.propose(study)
        params = proposal.params
        distributions = {name: space.distributions[name] for name in params}
        study.add_trial(
            create_trial(value=value(params), params=params, distributions=distributions, system_attrs=proposal.notes)
        )
        drawn.append(params)
    return drawn


def enqueue(study: optuna.Study, space: SearchSpace, params: dict) -> None:
    """A trial that no sampler drew."""
    distributions = {name: space.distributions[name] for name in params}
    attributes = {trial_attributes.ORIGIN: "enqueued"}
    study.add_trial(create_trial(value=0.0, params=params, distributions=distributions, user_attrs=attributes))


def discrepancy(sampler: str, seed: int) -> float:
    """Of 64 draws from the square: 0 where they cover it evenly."""
    return float(qmc.discrepancy([place(params) for params in draw(sampler, SQUARE, 64, seed=seed)]))


def nearest(sampler: str, seed: int, trials: int) -> float:
    """How far the best trial is from the optimum of a bowl."""
    return min(
        off_optimum(params)
        for params in draw(sampler, SQUARE, trials, seed=seed, value=lambda params: -(off_optimum(params) ** 2))
    )


def test_qmc_covers_the_space_more_evenly_than_random_draws():
    covered = np.mean([discrepancy("qmc", seed) for seed in SEEDS])
    at_random = np.mean([discrepancy("random", seed) for seed in SEEDS])
    print(f"discrepancy of 64 draws: qmc {covered:.5f}, random {at_random:.5f}")
    assert covered < at_random / 10


def test_qmc_splits_choices_and_their_conditional_ranges_evenly():
    drawn = draw("qmc", CONDITIONAL, 64, seed=1)
    sampled = [params["softmax_samples"] for params in drawn if "softmax_samples" in params]
    assert len(sampled) == 32  # one of two choices
    halves = np.histogram(np.log(sampled), np.log([256, 1024, 4096]))[0]
    assert abs(halves[0] - halves[1]) <= 4  # draws at random would differ by more half of the time
    assert qmc.discrepancy([place(params) for params in drawn]) < 0.001


def test_qmc_leaves_no_gap_for_trials_that_it_did_not_draw():
    study = optuna.create_study(direction="maximize")
    first = draw("qmc", SQUARE, 3, seed=1, study=study)
    enqueue(study, SQUARE, {"learning_rate": 0.1, "weight_decay": 0.1})
    later = draw("qmc", SQUARE, 3, seed=1, study=study)
    assert first + later == draw("qmc", SQUARE, 6, seed=1)


@pytest.mark.parametrize(("sampler", "trials"), [("gp", 14), ("tpe", 40)])
def test_a_model_of_the_surface_ends_nearer_to_the_optimum_than_random_draws(sampler, trials):
    modelled = np.mean([nearest(sampler, seed, trials) for seed in SEEDS])
    at_random = np.mean([nearest("random", seed, trials) for seed in SEEDS])
    print(f"distance to the optimum after {trials} trials: {sampler} {modelled:.4f}, random {at_random:.4f}")
    assert modelled < at_random / 2


def test_cmaes_moves_its_mean_towards_the_optimum():
    first, last = [], []
    for seed in SEEDS:
        drawn = draw("cmaes", SQUARE, 61, seed=seed, value=lambda params: -off_optimum(params))
        first.append(math.dist(np.mean([place(params) for params in drawn[1:21]], axis=0), OPTIMUM))
        last.append(math.dist(np.mean([place(params) for params in drawn[-20:]], axis=0), OPTIMUM))
    print(f"distance of the mean of 20 draws to the optimum: first {np.mean(first):.3f}, last {np.mean(last):.3f}")
    assert np.mean(last) < np.mean(first) / 3


def test_grid_draws_every_configuration_once_in_an_order_of_the_seed():
    space = load_space("recbole")
    drawn = draw("grid", space, 30, seed=1)
    everything = list(space.grid())
    assert sorted(map(str, drawn)) == sorted(map(str, everything))
    assert drawn != everything
    assert drawn != draw("grid", space, 30, seed=2)


def test_random_draws_do_not_follow_the_values():
    uphill = draw("random", SQUARE, 20, seed=1, value=lambda params: params["weight_decay"])
    assert uphill == draw("random", SQUARE, 20, seed=1, value=lambda params: -params["weight_decay"])


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_search_resumed_draws_as_if_it_had_never_stopped(sampler):
    space = SPACES.get(sampler, CONDITIONAL)

    def value(params: dict) -> float:
        return -sum(len(str(value)) for value in params.values())

    resumed = draw(sampler, space, 12, seed=1, value=value, is_resumed_before_every_trial=True)
    assert resumed == draw(sampler, space, 12, seed=1, value=value)
