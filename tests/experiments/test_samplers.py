"""Every sampler draws each configuration once, inside the space, reproducibly."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from experiments.distinct import REPLACED, DistinctSampler, configurations
from experiments.samplers import SAMPLERS
from narm.errors import InputError
from search_spaces.space import SearchSpace, load_space

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


def new_study(space: SearchSpace, sampler: str, seed: int = 1) -> optuna.Study:
    distinct = DistinctSampler(SAMPLERS[sampler](space, seed), space, seed)
    return optuna.create_study(direction="maximize", sampler=distinct)


def run(study: optuna.Study, space: SearchSpace, trials: int) -> list[dict]:
    """Trials whose value favours the first choice of everything."""
    drawn = []
    for _ in range(trials):
        trial = study.ask()
        params = space.suggest(trial)
        drawn.append(params)
        study.tell(trial, -sum(len(str(value)) for value in params.values()))
    return drawn


@pytest.mark.parametrize("sampler", set(SAMPLERS) - {"cmaes"})
def test_a_finite_space_is_covered_without_a_repetition(sampler):
    space = load_space("recbole")
    study = new_study(space, sampler)
    run(study, space, 30)
    assert space.size == 30
    assert len(configurations(study)) == 30


@pytest.mark.parametrize("sampler", set(SAMPLERS) - {"grid"})
def test_every_draw_lies_inside_a_space_with_conditions(sampler, numeric):
    drawn = run(new_study(numeric, sampler), numeric, 25)
    assert all(numeric.contains(params) for params in drawn)
    assert {"softmax_samples" in params for params in drawn} == {True, False}


@pytest.mark.parametrize("sampler", set(SAMPLERS) - {"grid"})
def test_the_same_seed_draws_the_same(sampler, numeric):
    assert run(new_study(numeric, sampler), numeric, 14) == run(new_study(numeric, sampler), numeric, 14)
    assert run(new_study(numeric, sampler, seed=2), numeric, 2) != run(new_study(numeric, sampler), numeric, 2)


@pytest.mark.parametrize("sampler", set(SAMPLERS) - {"cmaes"})
def test_a_default_outside_the_space_does_not_disturb_the_sampler(sampler):
    space = load_space("recbole")
    study = new_study(space, sampler)
    study.tell(study.ask(), 1.0)  # it has none of the space's parameters
    run(study, space, 14)
    assert len(configurations(study)) == 14


def test_no_trial_is_spent_on_a_repetition():
    space = load_space("smoke")
    study = new_study(space, "random")
    run(study, space, 4)
    assert study.user_attrs[REPLACED] > 0
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 4


def test_a_configuration_in_flight_counts_as_seen():
    space = load_space("smoke")
    study = new_study(space, "random")
    drawn = [space.suggest(study.ask()) for _ in range(4)]
    assert len({tuple(params.items()) for params in drawn}) == 4


def test_a_repetition_gives_way_to_the_nearest_new_configuration():
    class Stubborn(optuna.samplers.RandomSampler):
        """Proposes the same configuration for ever."""

        def sample_relative(self, study, trial, search_space):
            return {"learning_rate": 0.01, "hidden_size": 128, "n_layers": 1, "dropout_probs": "[0.25,0.5]"}

    space = load_space("recbole")
    study = optuna.create_study(sampler=DistinctSampler(Stubborn(seed=1), space, 1))
    first, *others = run(study, space, 8)
    assert all(sum(first[name] != other[name] for name in first) == 1 for other in others)


def test_numeric_neighbours_are_nearer_than_distant_values(tmp_path):
    class Stubborn(optuna.samplers.RandomSampler):
        def sample_relative(self, study, trial, search_space):
            return {"hidden_size": 128}

    path = tmp_path / "sizes.yaml"
    path.write_text("hidden_size: {low: 32, high: 256, step: 32}\n")
    space = load_space(path)
    study = optuna.create_study(sampler=DistinctSampler(Stubborn(seed=1), space, 1))
    sizes = [params["hidden_size"] for params in run(study, space, 3)]
    assert sizes[0] == 128
    assert set(sizes[1:]) == {96, 160}


def test_grid_refuses_a_continuous_space(numeric):
    with pytest.raises(InputError, match="grid needs a finite space, and numeric has continuous ranges"):
        SAMPLERS["grid"](numeric, 1)


def test_cmaes_refuses_a_space_of_choices():
    with pytest.raises(InputError, match="cmaes needs two numeric ranges, and recbole has 0"):
        SAMPLERS["cmaes"](load_space("recbole"), 1)
