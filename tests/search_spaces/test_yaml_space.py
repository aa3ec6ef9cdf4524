"""Spaces in YAML: ranges, choices, positions and conditions, and their mistakes."""

from pathlib import Path

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from support.data_size import LARGE, SMALL

from narm.config import Config
from narm.errors import InputError
from search_spaces.data_size import DataSize
from search_spaces.space import SearchSpace, load_space


def space(tmp_path: Path, text: str, size: DataSize | None = None) -> SearchSpace:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    return load_space(path, size)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("learning_rate: {low: 1e-4, high: 1e-2, log: true}", FloatDistribution(1e-4, 1e-2, log=True)),
        ("hidden_size: {low: 32, high: 256, step: 32}", IntDistribution(32, 256, step=32)),
        ("hidden_size: {low: 32, high: 256}", IntDistribution(32, 256)),
        ("train_batch_size: {low: 32, high: 256, log: true}", IntDistribution(32, 256, log=True)),
        ("softmax_alpha: {low: 0.1, high: 0.7, step: 0.2}", FloatDistribution(0.1, 0.7, step=0.2)),
        ("softmax_alpha: {low: 0, high: 1}", FloatDistribution(0.0, 1.0)),
        ("clip_grad_norm: {low: 1, high: 5}", FloatDistribution(1.0, 5.0)),
        ("clip_grad_norm: [null, 5]", CategoricalDistribution([None, 5.0])),
        ("attention: [sum, softmax]", CategoricalDistribution(["sum", "softmax"])),
        ("gru_bias: {choices: [false, true]}", CategoricalDistribution([False, True])),
        ("dropout_probs: [[0.25, 0.5], [0, 0.2]]", CategoricalDistribution(["[0.25,0.5]", "[0.0,0.2]"])),
        ("dropout_probs[0]: {low: 0.0, high: 0.6}", FloatDistribution(0.0, 0.6)),
        ("dropout_probs[1]: [0.0, 0.5]", CategoricalDistribution([0.0, 0.5])),
    ],
)
def test_each_form_becomes_its_distribution(tmp_path, text, expected):
    name = text.split(":")[0]
    assert space(tmp_path, text).distributions == {name: expected}


def test_conditions_take_one_value_or_several(tmp_path):
    parameters = space(
        tmp_path,
        "softmax_samples: {low: 8, high: 64, when: {loss_type: sampled_softmax}}\n"
        "loss_type: [CE, BPR, sampled_softmax]\n"
        "weight_decay: {choices: [0, 0.1], when: {loss_type: [CE, BPR], dropout_probs: [0.2, 0.5]}}\n"
        "dropout_probs: [[0.2, 0.5], [0.1, 0.1], [0, 0]]\n"
        "gru_bias: {choices: [true], when: {dropout_probs: [[0.2, 0.5], '[0.1,0.1]']}}\n",
    ).parameters
    assert {parameter.name: dict(parameter.when) for parameter in parameters if parameter.when} == {
        "softmax_samples": {"loss_type": ("sampled_softmax",)},
        "weight_decay": {"loss_type": ("CE", "BPR"), "dropout_probs": ("[0.2,0.5]",)},
        "gru_bias": {"dropout_probs": ("[0.2,0.5]", "[0.1,0.1]")},
    }


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("learning_rat: [0.1]", 1, "unknown option 'learning_rat'; did you mean 'learning_rate'?"),
        ("epochs: [1, 2]", 1, "'epochs' is fixed, never searched"),
        ("topk: [1, 2]", 1, "'topk' is fixed, never searched"),
        ("n_layers: 2", 1, "n_layers: 2 is neither choices, [a, b], nor a range, {low: a, high: b}"),
        ("n_layers:", 1, "n_layers: None is neither choices"),
        ("n_layers: []", 1, "n_layers: no choices"),
        ("n_layers: {choices: []}", 1, "n_layers: no choices"),
        ("n_layers: {choices: 1}", 1, "n_layers: choices must be a list"),
        ("n_layers: [1, 2, 1]", 1, "n_layers: the choice 1 appears twice"),
        ("n_layers: [1, 9]", 1, "n_layers: 9: input should be less than or equal to 8"),
        ("attention: [sum, soft]", 1, "attention: 'soft': input should be 'sum' or 'softmax'"),
        ("attention: {low: 1, high: 2}", 1, "attention takes no range"),
        ("gru_bias: {low: 0, high: 1}", 1, "gru_bias takes no range"),
        ("n_layers: {low: 1}", 1, "n_layers: high missing"),
        ("n_layers: {}", 1, "n_layers: high and low missing"),
        ("n_layers:\n  low: 1\n  hihg: 2", 3, "n_layers: unknown key 'hihg'; did you mean 'high'?"),
        ("n_layers: {choices: [1], low: 2}", 1, "n_layers: unknown key 'low'"),
        ("n_layers: {low: 3, high: 2}", 1, "n_layers: low 3 is above high 2"),
        ("n_layers: {low: 0, high: 2}", 1, "n_layers: 0: input should be greater than or equal to 1"),
        ("n_layers: {low: 1, high: 9}", 1, "n_layers: 9: input should be less than or equal to 8"),
        ("n_layers: {low: 1.5, high: 2}", 1, "n_layers: 1.5: input should be a valid integer"),
        ("n_layers: {low: true, high: 2}", 1, "n_layers: True: input should be a number"),
        ("n_layers: {low: a, high: 2}", 1, "n_layers: 'a': input should be a valid integer"),
        ("clip_grad_norm: {low: null, high: 2}", 1, "clip_grad_norm: None is not a number"),
        ("weight_decay: {low: 0, high: 0.1, log: true}", 1, "weight_decay: low 0.0 has no logarithm"),
        ("weight_decay: {low: 0, high: 0.1, log: 1}", 1, "weight_decay: log must be true or false, not 1"),
        ("hidden_size: {low: 8, high: 16, log: true, step: 2}", 1, "step and log exclude each other"),
        (
            "hidden_size: {low: 8, high: 17, step: 4}",
            1,
            "steps of 4 from 8 miss 17; the last one below is 16",
        ),
        ("softmax_alpha: {low: 0, high: 1, step: 0.3}", 1, "the last one below is 0.9"),
        ("hidden_size: {low: 8, high: 16, step: 0}", 1, "hidden_size: step 0 must be above 0"),
        ("hidden_size: {low: 8, high: 16, step: 0.5}", 1, "hidden_size: step 0.5 must be a whole number"),
        ("hidden_size: {low: 8, high: 16, step: x}", 1, "hidden_size: step must be a number, not 'x'"),
        ("hidden_size: {low: 8, high: 16, step: .inf}", 1, "hidden_size: step must be a number"),
        ("dropout_probs[2]: [0.1]", 1, "'dropout_probs[2]': dropout_probs has positions 0 to 1"),
        ("learning_rate[0]: [0.1]", 1, "'learning_rate[0]': learning_rate has no positions"),
        ("dropout_probs[0]: {low: 0, high: 1}", 1, "1: input should be less than 1"),
        (
            "n_layers: [1]\ndropout_probs: [[0, 0]]\ndropout_probs[1]: [0.1]",
            3,
            "dropout_probs[1]: line 2 has dropout_probs: vary the whole or its positions",
        ),
        ("dropout_probs[1]: [0.1]\ndropout_probs: [[0, 0]]", 2, "dropout_probs: line 1 has dropout_probs[1]"),
        ("n_layers: [1]\nn_layers: [2]", 2, "'n_layers' a second time: it is already on line 1"),
        ("n_layers: [1]\nn-layers: [2]", 2, "n_layers a second time: it is already on line 1"),
        (
            "n_layers: {choices: [1], when: {los_type: CE}}\nloss_type: [CE]",
            1,
            "n_layers: depends on 'los_type', which this space does not vary; did you mean 'loss_type'?",
        ),
        (
            "loss_type: [CE, BPR]\nn_layers:\n  choices: [1]\n  when: {loss_type: sampled_softmax}",
            4,
            "n_layers: loss_type is never sampled_softmax; it is one of CE, BPR",
        ),
        ("loss_type: [CE]\nn_layers: {choices: [1], when: {loss_type: TOP1}}", 2, "loss_type: 'TOP1': input"),
        ("loss_type: [CE]\nn_layers: {choices: [1], when: {loss_type: []}}", 2, "no value of loss_type"),
        ("loss_type: [CE]\nn_layers: {choices: [1], when: CE}", 2, "n_layers: `when` names other parameters"),
        ("loss_type: [CE]\nn_layers: {choices: [1], when: {}}", 2, "n_layers: `when` names other parameters"),
        (
            "hidden_size: {low: 8, high: 16, step: 4}\nn_layers: {choices: [1], when: {hidden_size: 10}}",
            2,
            "hidden_size is never 10; it is one of 8 to 16 in steps of 4",
        ),
        (
            "weight_decay: {low: 0, high: 1}\nn_layers: {choices: [1], when: {weight_decay: 0}}",
            2,
            "depends on weight_decay, a continuous range",
        ),
        (
            "gru_bias: [true]\nn_layers: {choices: [1], when: {attention: sum}}\n"
            "attention: {choices: [sum], when: {n_layers: 1}}",
            2,
            "conditions run in a circle: n_layers <- attention <- n_layers",
        ),
        ("n_layers: {choices: [1], when: {n_layers: 1}}", 1, "conditions run in a circle"),
        (
            "gru_bias: [true, false]\nattention: {choices: [sum], when: {gru_bias: true}}\n"
            "n_layers: {choices: [1], when: {attention: sum, gru_bias: false}}",
            3,
            "n_layers never applies: no value of gru_bias meets all its conditions",
        ),
        ("- n_layers", 1, "expected `name: value` lines"),
    ],
)
def test_a_mistake_names_file_line_and_what_would_be_right(tmp_path, text, line, message):
    with pytest.raises(InputError) as error:
        space(tmp_path, text)
    found = str(error.value)
    assert found.startswith(f"{tmp_path / 'a.yaml'}:{line}: ")
    assert message in found
    assert "\n" not in found


def test_an_empty_space_is_one_point(tmp_path):
    found = space(tmp_path, "# nothing to vary\n")
    assert found.size == 1
    assert list(found.grid()) == [{}]
    assert found.from_options(Config()) == {}


@pytest.mark.parametrize(
    ("text", "small", "large"),
    [
        (
            "train_batch_size: {low: 32, high: targets / 50 at least 4096, log: true}",
            IntDistribution(32, 4096, log=True),
            IntDistribution(32, 14400, log=True),
        ),
        ("softmax_samples: {low: items / 100, high: items / 4}", IntDistribution(17, 425), IntDistribution(430, 10750)),
        (
            "softmax_samples: {low: 64, high: items / 4, step: 64}",  # the last step below it
            IntDistribution(64, 384, step=64),
            IntDistribution(64, 10688, step=64),
        ),
        (
            "softmax_samples: {low: 100, high: 1000, step: items / 17 at most 450}",
            IntDistribution(100, 1000, step=100),
            IntDistribution(100, 1000, step=450),
        ),
        ("softmax_alpha: {low: 0, high: items / 1e5}", FloatDistribution(0.0, 0.017), FloatDistribution(0.0, 0.43)),
        (
            "loss_type: [{value: CE, where: items <= 10000}, BPR, {value: sampled_softmax, where: items > 1000}]",
            CategoricalDistribution(["CE", "BPR", "sampled_softmax"]),
            CategoricalDistribution(["BPR", "sampled_softmax"]),
        ),
        (
            "dropout_probs: {choices: [[0.2, 0.5], {value: [0, 0], where: targets > 500000}]}",
            CategoricalDistribution(["[0.2,0.5]"]),
            CategoricalDistribution(["[0.2,0.5]", "[0.0,0.0]"]),
        ),
        (
            "clip_grad_norm: [{value: null, where: targets < 5e5}, 1]",
            CategoricalDistribution([None, 1.0]),
            CategoricalDistribution([1.0]),
        ),
    ],
)
def test_one_file_serves_small_and_large_data(tmp_path, text, small, large):
    name = text.split(":")[0]
    assert space(tmp_path, text, SMALL).distributions == {name: small}
    assert space(tmp_path, text, LARGE).distributions == {name: large}


def test_a_space_says_what_the_data_decided(tmp_path):
    found = space(tmp_path, "n_layers: [1, 2]\nsoftmax_samples: {low: 8, high: items / 4 at least 512}", SMALL)
    assert found.by_data == {"softmax_samples": "8 to 512 (high: items / 4 at least 512)"}
    assert found.data == SMALL
    other = space(tmp_path, "n_layers: [1, 2]", SMALL)
    assert (other.by_data, other.data) == ({}, None)


BY_SIZE = """\
softmax_alpha: {choices: [0.5, 0.75], when: {softmax_samples: [512, 1024]}}
softmax_samples: {low: 512, high: items / 4, step: 512, when: {loss_type: [BPR, sampled_softmax]}}
loss_type: [CE, BPR, {value: sampled_softmax, where: items > 10000}]
n_layers: {choices: [1, 2], when: {loss_type: sampled_softmax}}
"""


def test_what_can_never_apply_for_the_data_is_left_out(tmp_path):
    found = space(tmp_path, BY_SIZE, DataSize(targets=9, items=3000))
    assert set(found.distributions) == {"softmax_alpha", "softmax_samples", "loss_type"}
    assert {p.name: dict(p.when) for p in found.parameters} == {
        "softmax_alpha": {"softmax_samples": (512,)},  # the range ends there
        "softmax_samples": {"loss_type": ("BPR",)},
        "loss_type": {},
    }
    assert found.by_data["n_layers"] == "left out"
    assert space(tmp_path, BY_SIZE, LARGE).left_out == ()


def test_what_depends_on_something_left_out_is_left_out_too(tmp_path):
    text = (
        "loss_type: [CE, {value: sampled_softmax, where: items > 10000}]\n"
        "n_layers: {choices: [1, 2], when: {loss_type: sampled_softmax}}\n"
        "attention: {choices: [sum, softmax], when: {n_layers: 2}}\n"
    )
    assert space(tmp_path, text, SMALL).left_out == ("n_layers", "attention")
    assert space(tmp_path, text, LARGE).left_out == ()


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (
            "n_layers: [1]\nsoftmax_samples: {low: 8, high: item / 4}",
            2,
            "softmax_samples: 'item' is no size of the data",
        ),
        ("softmax_samples: {low: 8, high: items / x}", 1, "softmax_samples: 'items / x' is no number that the data"),
        ("attention: {low: items / 4, high: 9}", 1, "attention takes no range"),
        (
            "softmax_samples: {low: 512, high: items / 4}",
            1,
            "softmax_samples: low 512 is above high 425 (high: items / 4; the data have 98,000 training targets, 1,700",
        ),
        (
            "softmax_samples: {low: items / 4000, high: 9, log: true}",
            1,
            "0: input should be greater than or equal to 1",
        ),
        (
            "hidden_size: {low: 8, high: items * 4}",
            1,
            "6800: input should be less than or equal to 4096 (high: items * 4",
        ),
        (
            "loss_type: [{value: CE, where: items > 9000}]",
            1,
            "loss_type: no choice is left (CE where items > 9000; the",
        ),
        ("loss_type: [{value: CE, where: items}]", 1, "loss_type: `where` compares the data's size with a number"),
        ("loss_type: [{value: TOP1, where: items > 9}]", 1, "loss_type: 'TOP1': input should be 'CE', 'BPR' or"),
        ("loss_type: [{value: CE, wher: items > 9}]", 1, "loss_type: unknown key 'wher'; did you mean 'where'?"),
        ("loss_type: [{where: items > 9}]", 1, "loss_type: value missing"),
        ("loss_type: [CE, {value: CE, where: items > 9}]", 1, "loss_type: the choice CE appears twice"),
        ("loss_type: [CE, BPR]\nn_layers: {choices: [1], when: items > 9}", 2, "depends on the data has a `where`"),
        (
            "loss_type: [CE, {value: BPR, where: items > 9000}]\n"
            "n_layers: {choices: [1], when: {loss_type: sampled_softmax}}",
            2,
            "n_layers: loss_type is never sampled_softmax",
        ),
    ],
)
def test_a_mistake_about_the_data_names_file_line_and_the_data(tmp_path, text, line, message):
    with pytest.raises(InputError) as error:
        space(tmp_path, text, SMALL)
    found = str(error.value)
    assert found.startswith(f"{tmp_path / 'a.yaml'}:{line}: ")
    assert message in found
    assert "\n" not in found


def test_data_that_are_not_known_decide_nothing(tmp_path):
    with pytest.raises(
        InputError, match=r"a\.yaml:2: softmax_samples depends on the data \(high: items / 4\), whose size"
    ):
        space(tmp_path, "n_layers: [1]\nsoftmax_samples: {low: 8, high: items / 4}")
