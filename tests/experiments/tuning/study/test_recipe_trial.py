"""A recipe in a space: all of it, or a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.study_spec import make_spec

from experiments.tuning.study.recipe_trial import fit_recipe
from narm.config import Config
from narm.model_options import used_options
from search_spaces.data_size import DataSize
from search_spaces.recipe import Recipe, find_recipe
from search_spaces.space import SearchSpace, parse_space
from search_spaces.space_file import find_space

SPACE = parse_space(
    "mine",
    "mine.yaml",
    "learning_rate: {low: 0.001, high: 0.01}\nn_layers: [1, 2]\nloss_type: [CE, sampled_softmax]\n"
    "softmax_samples: {low: 8, high: 64, when: {loss_type: sampled_softmax}}\ndropout_probs[0]: {low: 0, high: 0.6}\n",
)


def test_the_options_of_the_space_are_tried_and_those_that_it_says_nothing_of_are_the_defaults() -> None:
    found = fit_recipe(Recipe("r", {"learning_rate": 0.005, "hidden_size": 128}), SPACE, Config())
    assert found.options == {
        "learning_rate": 0.005, "n_layers": 1, "loss_type": "CE", "dropout_probs": [0.25, 0.5],
    }  # fmt: skip
    assert not found.why_not


def test_an_option_that_does_not_apply_is_left_as_it_is() -> None:
    found = fit_recipe(Recipe("r", {"learning_rate": 0.005, "softmax_samples": 4000}), SPACE, Config())
    assert found.options is not None
    assert "softmax_samples" not in found.options


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"learning_rate": 0.005, "hidden_size": 96}, "its hidden_size is 96, and the search has 128"),
        ({"learning_rate": 0.05}, "its learning_rate is 0.05, the space has 0.001 to 0.01"),
        ({"loss_type": "sampled_softmax", "softmax_samples": 99}, "its softmax_samples is 99, the space has 8 to 64"),
        ({"dropout_probs": [0.3, 0.3]}, "its dropout_probs is [0.3, 0.3], and the search can have [0.3, 0.5]"),
        ({"n_layers": 1}, "it is the default configuration here"),
        ({}, "it is the default configuration here"),
    ],
)
def test_a_recipe_that_does_not_fit_is_not_tried_at_all(options: dict[str, object], why: str) -> None:
    found = fit_recipe(Recipe("r", options), SPACE, Config())
    assert (found.options, found.why_not) == (None, why)


def test_what_does_not_go_together_with_the_default_configuration_is_a_reason_too() -> None:
    config = Config.from_flat(loss_type="BPR", train_neg_sample_args={"sample_num": 2})
    found = fit_recipe(Recipe("r", {"loss_type": "CE"}), SPACE, config)
    assert found.options is None
    assert "train_neg_sample_args must be None" in found.why_not


FILES = {model: find_space(model) for model in ("narm", "global", "local")}


@settings(deadline=None)
@given(targets=st.integers(1, 10**9), items=st.integers(1, 10**8), model=st.sampled_from(sorted(FILES)))
def test_the_bundled_recipe_is_a_point_of_the_bundled_spaces_for_data_of_any_size(
    targets: int, items: int, model: str
) -> None:
    size, config = DataSize(targets=targets, items=items), Config.from_flat(model=model)
    space = SearchSpace.of(FILES[model], size)
    space.check(config)
    recipe = find_recipe("narm").for_data(size, config, fixed=(), used=used_options(model))
    assert fit_recipe(recipe, space, config).why_not == ""


def test_a_single_trial_is_that_of_the_default_configuration(tmp_path: Path) -> None:
    recipe = Recipe("r", {"learning_rate": 0.005})
    trial = make_spec(tmp_path, recipe=recipe, trials=1).recipe_trial
    assert trial is not None
    assert trial.options is None
    assert make_spec(tmp_path).recipe_trial is None
    found = make_spec(tmp_path, recipe=recipe).recipe_trial
    assert found is not None
    assert found.options is not None
