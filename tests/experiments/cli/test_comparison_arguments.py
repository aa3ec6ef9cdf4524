"""The searches of a comparison: what each model gets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from support.ring import ring_of_items

from experiments.cli.comparison_arguments import build_specs
from experiments.tuning.study.spec import StudySpec
from narm.errors import InputError
from narm.models import ModelName


def specs(models: Sequence[ModelName], *options: str) -> dict[str, StudySpec]:
    found = build_specs(models, "c", ["--dataset", "synthetic", *options], lambda data: ring_of_items())
    return {spec.config.model.model: spec for spec in found}


def test_each_model_has_its_own_space_and_the_same_number_of_trials() -> None:
    found = specs(["narm", "global", "v_sknn"])
    assert {model: spec.space.name for model, spec in found.items()} == {
        "narm": "narm", "global": "global", "v_sknn": "v_sknn",
    }  # fmt: skip
    assert {spec.trials for spec in found.values()} == {12}
    assert {spec.time_budget for spec in found.values()} == {None}
    assert not any(spec.default_is_finalist for spec in found.values())


def test_a_space_holds_for_the_models_that_have_its_options(tmp_path: Path) -> None:
    space = tmp_path / "mine.yaml"
    space.write_text("learning_rate: {low: 0.001, high: 0.01}\nhidden_size: [16, 32]\n")
    found = specs(["narm", "local", "v_sknn"], "--space", str(space))
    assert [found[model].space.name for model in ("narm", "local", "v_sknn")] == ["mine", "mine", "v_sknn"]
    with pytest.raises(InputError, match=r"space: none of these models has all options of .*mine.yaml: pop, v_sknn"):
        specs(["pop", "v_sknn"], "--space", str(space))


def test_an_option_holds_for_the_models_that_use_it() -> None:
    found = specs(["narm", "v_sknn"], "--train_batch_size", "64", "--space", "smoke")
    assert found["narm"].config.training.train_batch_size == 64
    with pytest.raises(InputError, match="train_batch_size is no option of any of these models: pop, v_sknn"):
        specs(["pop", "v_sknn"], "--train_batch_size", "64")


def test_each_network_has_the_recipe_and_no_baseline_has() -> None:
    found = specs(["narm", "global", "v_sknn", "bpr_mf"])
    with_recipe = {model for model, spec in found.items() if spec.recipe is not None}
    assert with_recipe == {"narm", "global"}
    assert all(found[model].recipe_trial.options for model in with_recipe)
    assert not any(spec.recipe for spec in specs(["narm", "global"], "--recipe", "none").values())


def test_a_configuration_file_holds_for_the_models_that_use_its_options(tmp_path: Path) -> None:
    config = tmp_path / "networks.yaml"
    config.write_text("train_batch_size: 64\nstopping_step: 4\n")
    found = specs(["narm", "v_sknn"], "--config", str(config))
    assert found["narm"].config.training.train_batch_size == 64
    assert found["v_sknn"].config.model.model == "v_sknn"


def test_a_model_that_is_trained_already_is_no_part_of_a_comparison() -> None:
    with pytest.raises(InputError, match="against: a comparison is of models that are all trained now"):
        specs(["narm", "v_sknn"], "--against", "champion")
