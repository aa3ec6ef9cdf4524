"""Every sampler draws each configuration once, inside the space, reproducibly."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from experiments.tuning.engine.proposals import Proposer
from experiments.tuning.optimizer.samplers import SAMPLERS, Sampler
from search_spaces.space import SearchSpace, load_space, parse_space

NUMERIC = """
learning_rate: {low: 1.0e-4, high: 1.0e-2, log: true}
hidden_size: {low: 32, high: 256, step: 32}
n_layers: [1, 2]
loss_type: [CE, sampled_softmax]
softmax_samples: {low: 256, high: 4096, log: true, when: {loss_type: sampled_softmax}}
"""


@pytest.fixture(scope="module")
def numeric(tmp_path_factory: pytest.TempPathFactory) -> SearchSpace:
    """Continuous, stepped, chosen and conditional parameters together."""
    path: Path = tmp_path_factory.mktemp("space") / "numeric.yaml"
    path.write_text(NUMERIC)
    return load_space(path)


def run(
    sampler: Any, space: SearchSpace, trials: int, *, seed: int = 1, study: optuna.Study | None = None
) -> list[dict]:
    """Trials whose value favours the first choice of everything."""
    study = study or optuna.create_study(direction="maximize")
    proposer = Proposer(SAMPLERS[sampler] if isinstance(sampler, str) else sampler, space, seed)
    drawn = []
    for _ in range(trials):
        proposal = proposer.propose(study)
        value = -sum(len(str(value)) for value in proposal.params.values())
        study.add_trial(finished(space, proposal.params, float(value), proposal.notes))
        drawn.append(proposal.params)
    return drawn


def finished(space: SearchSpace, params: dict, value: float, notes: dict) -> optuna.trial.FrozenTrial:
    distributions = {name: space.distributions[name] for name in params}
    return optuna.create_trial(value=value, params=params, distributions=distributions, system_attrs=notes)


def distinct(drawn: list[dict]) -> int:
    return len({str(params) for params in drawn})


def all_but(left_out: str) -> list[Any]:
    """All samplers but one; fitting Gaussian processes takes seconds."""
    names = sorted(set(SAMPLERS) - {left_out})
    return [pytest.param(name, marks=[pytest.mark.slow] if name == "gp" else []) for name in names]


@pytest.mark.parametrize("sampler", all_but("cmaes"))
def test_a_finite_space_is_covered_without_a_repetition(sampler):
    space = load_space("recbole")
    assert space.size == 30
    assert distinct(run(sampler, space, 30)) == 30


@pytest.mark.parametrize("sampler", all_but("grid"))
def test_every_draw_lies_inside_a_space_with_conditions(sampler, numeric):
    drawn = run(sampler, numeric, 25)
    assert all(numeric.contains(params) for params in drawn)
    assert {"softmax_samples" in params for params in drawn} == {True, False}


@pytest.mark.parametrize("sampler", all_but("grid"))
def test_the_same_seed_draws_the_same(sampler, numeric):
    assert run(sampler, numeric, 14) == run(sampler, numeric, 14)
    assert run(sampler, numeric, 2, seed=2) != run(sampler, numeric, 2)


@pytest.mark.parametrize("sampler", all_but("cmaes"))
def test_a_default_outside_the_space_does_not_disturb_the_sampler(sampler):
    space = load_space("recbole")
    study = optuna.create_study(direction="maximize")
    study.tell(study.ask(), 1.0)  # it has none of the space's parameters
    assert distinct(run(sampler, space, 14, study=study)) == 14


def test_a_configuration_in_flight_counts_as_seen():
    space = load_space("recbole")
    study = optuna.create_study(direction="maximize")
    proposer = Proposer(SAMPLERS["random"], space, 1)
    replaced = 0
    for _ in range(30):
        proposal = proposer.propose(study)
        replaced += proposal.replaced
        study.add_trial(
            optuna.create_trial(
                state=TrialState.RUNNING, params=proposal.params, distributions=dict(space.distributions)
            )
        )
    assert distinct([trial.params for trial in study.trials]) == 30
    assert replaced > 0


def test_the_gaussian_process_finds_the_best_region_of_a_search_that_halves() -> None:
    space = parse_space("line", "line.yaml", "learning_rate: {low: 1.0e-4, high: 1.0, log: true}")
    study = optuna.create_study(direction="maximize")
    proposer = Proposer(SAMPLERS["gp"], space, 1)
    drawn = []
    for number in range(25):
        params = proposer.propose(study, paused=range(number)).params
        off = abs(math.log10(params["learning_rate"]) + 1)
        study.add_trial(
            optuna.create_trial(
                state=TrialState.RUNNING,
                params=params,
                distributions=dict(space.distributions),
                intermediate_values={1: -(off**2)},
            )
        )
        drawn.append(off)
    assert sorted(drawn[15:])[5] < 0.2  # of the last ten most, where draws at random are 1.25 off


def test_the_gaussian_process_finds_the_best_value_of_a_parameter_under_a_condition() -> None:
    space = parse_space(
        "head",
        "head.yaml",
        """
        learning_rate: {low: 1.0e-4, high: 1.0e-2, log: true}
        scoring: [dot, cosine]
        temperature: {low: 0.01, high: 1.0, log: true, when: {scoring: cosine}}
        """,
    )
    study = optuna.create_study(direction="maximize")
    proposer = Proposer(SAMPLERS["gp"], space, 1)
    drawn = []
    for _ in range(25):
        proposal = proposer.propose(study)
        params = proposal.params
        off = math.hypot(math.log10(params["learning_rate"]) + 3, math.log10(params.get("temperature", 1.0)) + 1)
        study.add_trial(finished(space, params, -(off**2), proposal.notes))
        drawn.append(off)
    assert sorted(drawn[15:])[5] < 0.1  # of the last ten most, where few draws at random are within 0.5


def test_a_repetition_gives_way_to_the_nearest_new_configuration():
    class Stubborn(optuna.samplers.RandomSampler):
        """Proposes the same configuration for ever."""

        def sample_relative(self, study, trial, search_space):
            return {"learning_rate": 0.01, "hidden_size": 128, "n_layers": 1, "dropout_probs": "[0.25,0.5]"}

    space = load_space("recbole")
    first, *others = run(Sampler(name="stubborn", make=lambda draw: Stubborn(draw.seed)), space, 8)
    assert all(sum(first[name] != other[name] for name in first) == 1 for other in others)


def test_numeric_neighbours_are_nearer_than_distant_values(tmp_path):
    class Stubborn(optuna.samplers.RandomSampler):
        def sample_relative(self, study, trial, search_space):
            return {"hidden_size": 128}

    path = tmp_path / "sizes.yaml"
    path.write_text("hidden_size: {low: 32, high: 256, step: 32}\n")
    space = load_space(path)
    sizes = [
        params["hidden_size"]
        for params in run(Sampler(name="stubborn", make=lambda draw: Stubborn(draw.seed)), space, 3)
    ]
    assert sizes[0] == 128
    assert set(sizes[1:]) == {96, 160}
