"""What is read from a study: its winner, its default, its summary."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState
from support.data_size import BY_DATA, SMALL
from support.study_spec import make_spec

from experiments.tuning.study.dataset import Dataset
from experiments.tuning.study.results import default_trial, summarize, winner
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.study.storage import create_study
from experiments.tuning.study.summary import RecipeSummary
from experiments.tuning.study.trial_attributes import RECIPE, origin_of
from search_spaces.recipe import Recipe
from search_spaces.space import load_space, parse_space


@pytest.fixture
def spec(tmp_path: Path) -> StudySpec:
    return make_spec(tmp_path)


OPTIONS = {"learning_rate": 0.01, "hidden_size": 128, "n_layers": 1, "dropout_probs": [0.1, 0.2]}


def progress(value: float | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return {"epochs": 3, "best_epoch": 2, "valid": {"mrr_at_10": value}, "seconds": 1.5, "value": value}


def add(study: optuna.Study, value: float | None, state: TrialState, **attributes: Any) -> None:
    study.add_trial(
        optuna.create_trial(
            state=state,
            value=value,
            params={"learning_rate": 0.01, "hidden_size": 128, "n_layers": 1, "dropout_probs": "[0.1,0.2]"},
            distributions=load_space("recbole").distributions,
            user_attrs={"options": OPTIONS, "progress": progress(value), "reason": "", **attributes},
        )
    )


def test_the_winner_is_the_best_with_a_value_and_the_first_of_equals(spec):
    study = create_study(spec, "f")
    assert winner(study.trials) is None
    add(study, None, TrialState.FAIL)
    assert winner(study.trials) is None
    for value, state in ((0.1, TrialState.COMPLETE), (0.3, TrialState.PRUNED), (0.3, TrialState.COMPLETE)):
        add(study, value, state)
    best = winner(study.trials)
    assert best is not None
    assert (best.number, best.value) == (2, 0.3)


def test_the_default_is_known_once_it_has_a_value(spec):
    study = create_study(spec, "f")
    add(study, None, TrialState.FAIL, default=True)
    assert default_trial(study.trials) is None
    add(study, 0.2, TrialState.PRUNED, default=True)
    found = default_trial(study.trials)
    assert found is not None
    assert (found.number, found.value) == (1, 0.2)


@pytest.mark.parametrize(
    ("attributes", "origin"),
    [
        ({}, "sampler"),
        ({"default": True}, "default"),
        ({"origin": RECIPE}, "recipe"),
        ({"parent": 3}, "trial 3"),
        ({"origin": "a.yaml"}, "a.yaml"),
    ],
)
def test_a_trial_says_who_wanted_it(attributes, origin):
    assert origin_of(attributes) == origin


def test_a_summary_has_what_has_begun_and_shows_options(spec, ring_splits):
    study = create_study(spec, "f")
    add(study, 0.2, TrialState.COMPLETE)
    add(study, None, TrialState.FAIL)
    summary = summarize(spec, Dataset.of(ring_splits, spec.config), study, run_id={0: "run"}.get, wall_seconds=4.0)
    assert [trial.number for trial in summary.trials] == [0, 1]
    assert summary.trials[0].params["dropout_probs"] == [0.1, 0.2]  # not text, as Optuna holds it
    assert [trial.mlflow_run_id for trial in summary.trials] == ["run", None]
    assert (summary.counts.complete, summary.counts.failed) == (1, 1)
    assert summary.timing.training_s == 1.5
    assert summary.timing.overhead_s == 2.5
    assert summary.best is not None
    assert summary.best.number == 0
    assert summary.default is None
    assert [(end.name, end.side) for end in summary.on_boundary] == [("learning_rate", "upper")]


def test_a_summary_says_what_became_of_the_recipe_and_what_the_data_decided(tmp_path, ring_splits):
    space = parse_space("a", "a.yaml", "learning_rate: {low: 0.001, high: 0.01}\nhidden_size: [128]", SMALL)
    spec = make_spec(tmp_path, recipe=Recipe("narm", {"learning_rate": 0.005}), space=space)
    dataset, study = Dataset.of(ring_splits, spec.config), create_study(spec, "f")
    summary = summarize(spec, dataset, study, run_id={}.get, wall_seconds=4.0)
    assert summary.recipe == RecipeSummary(name="narm", number=None, why_not=None)
    assert summary.space["by_data"] == {}
    add(study, 0.1, TrialState.COMPLETE, default=True)
    add(study, 0.2, TrialState.COMPLETE, origin=RECIPE)
    summary = summarize(spec, dataset, study, run_id={}.get, wall_seconds=4.0)
    assert summary.recipe == RecipeSummary(name="narm", number=1, why_not=None)
    assert [trial.origin for trial in summary.trials] == ["default", "recipe"]

    other = replace(
        spec, recipe=Recipe("narm", {"weight_decay": 0.1}), space=parse_space("b", "b.yaml", BY_DATA, SMALL)
    )
    summary = summarize(other, dataset, study, run_id={}.get, wall_seconds=4.0)
    assert summary.recipe is not None
    assert summary.recipe.why_not == "its weight_decay is 0.1, and the search has 0.0"
    assert summary.space["by_data"] == {
        "hidden_size": "32 to 212 (high: items / 8 at most 512)",
        "loss_type": "CE (sampled_softmax where items > 10000)",
        "softmax_samples": "left out",
    }
    assert summarize(replace(spec, recipe=None), dataset, study, run_id={}.get, wall_seconds=4.0).recipe is None
