"""Recipes: what they say for data of a size, and their mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.data_size import LARGE, SMALL

from narm.config import Config
from narm.errors import InputError
from narm.model_options import used_options
from search_spaces.data_size import DataSize
from search_spaces.recipe import find_recipe, read_recipe

BY_SIZE = """\
learning_rate: 0.005
dropout_probs: [0.4, 0.3]
train_batch_size: targets / 300 at most 512
hidden_size: [{value: 256, where: items > 20000}, 96]
loss_type: {value: sampled_softmax, where: items > 20000}
softmax_samples: {value: items / 10, when: {loss_type: sampled_softmax}}
"""


def options(text: str, size: DataSize | None = SMALL, *, fixed: tuple[str, ...] = (), **base: object) -> dict[str, Any]:
    config = Config.from_flat(base)
    used = used_options(config.model.model)
    return dict(read_recipe("r", "r.yaml", text).for_data(size, config, fixed=fixed, used=used).options)


def test_a_recipe_is_one_configuration_for_the_data() -> None:
    small = {"learning_rate": 0.005, "dropout_probs": [0.4, 0.3], "train_batch_size": 327, "hidden_size": 96}
    assert options(BY_SIZE) == small
    large = {"train_batch_size": 512, "hidden_size": 256, "loss_type": "sampled_softmax", "softmax_samples": 4300}
    assert options(BY_SIZE, LARGE) == {**small, **large}


def test_what_is_fixed_wins_and_decides_what_applies() -> None:
    assert "loss_type" not in options(BY_SIZE, LARGE, fixed=("loss_type",))
    assert "softmax_samples" not in options(BY_SIZE, LARGE, fixed=("loss_type",))
    assert options(BY_SIZE, fixed=("loss_type",), loss_type="sampled_softmax")["softmax_samples"] == 170


def test_options_that_the_model_does_not_use_are_left_out() -> None:
    assert options("attention: softmax\nn_layers: 2", model="global") == {"n_layers": 2}


def test_one_without_the_data_needs_none() -> None:
    text = "learning-rate: 0.005\nclip_grad_norm: {value: 1}"
    assert not read_recipe("r", "r.yaml", text).needs_data
    assert options(text, None) == {"learning_rate": 0.005, "clip_grad_norm": 1.0}
    assert read_recipe("r", "r.yaml", BY_SIZE).needs_data


@pytest.mark.parametrize("model", ["narm", "global", "local"])
@pytest.mark.parametrize("size", [SMALL, LARGE, DataSize(targets=300, items=20)])
def test_the_bundled_recipe_is_a_configuration_of_every_network(model: str, size: DataSize) -> None:
    config = Config.from_flat(model=model)
    found = find_recipe("narm").for_data(size, config, fixed=(), used=used_options(model))
    assert config.replace(found.options) != config
    assert found.name == "narm"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nlearning_rat: 0.1", "r.yaml:2: unknown option 'learning_rat'; did you mean 'learning_rate'?"),
        ("epochs: 3", "r.yaml:1: 'epochs' is fixed, never searched"),
        ("n_layers: 99", "r.yaml:1: n_layers: 99: input should be less"),
        ("n_layers: {value: 99}", "r.yaml:1: n_layers: 99: input should be less"),
        ("n_layers: {valu: 1}", "r.yaml:1: n_layers: unknown key 'valu'; did you mean 'value'?"),
        ("n_layers: {where: items > 4}", "r.yaml:1: n_layers: value missing"),
        ("n_layers: [{value: 1, when: {loss_type: CE}}]", "r.yaml:1: n_layers: unknown key 'when'"),
        ("n_layers: {value: 1, when: CE}", "r.yaml:1: n_layers: `when` names other options and their values"),
        ("n_layers: {value: 1, when: {los_type: CE}}", "r.yaml:1: unknown option 'los_type'"),
        ("n_layers: {value: 1, when: {loss_type: TOP1}}", "r.yaml:1: loss_type: 'TOP1'"),
        ("softmax_samples: item / 4", "r.yaml:1: softmax_samples: 'item' is no size of the data"),
        ("dropout_probs[0]: 0.3", "r.yaml:1: dropout_probs[0]: a recipe has whole options"),
        ("n_layers: 1\nn-layers: 2", "r.yaml:2: n_layers a second time: line 1 gives it too"),
        ("hidden_size: items * 9", "r.yaml:1: hidden_size: 15300: input should be less than or equal to 4096"),
        ("- n_layers", "r.yaml:1: expected `name: value` lines"),
    ],
)
def test_a_mistake_names_file_line_and_what_would_be_right(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        options(text)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nram", "no recipe 'nram'; did you mean 'narm'? (or none, or a file that ends in .yaml)"),
        ("missing.yaml", "cannot read missing.yaml: No such file or directory"),
    ],
)
def test_an_unknown_recipe_names_the_known_ones(name: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        find_recipe(name)
    assert message in str(error.value)


def test_a_file_has_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("n_layers: 2")
    assert find_recipe(str(path)).name == "mine.yaml"
