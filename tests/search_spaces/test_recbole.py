"""RecBole's grammar: what it says, its traps, and its mistakes."""

import json
import math
from pathlib import Path

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from narm.errors import InputError
from search_spaces.recbole import parse_hyper


def only(line: str):
    (parameter,) = parse_hyper(line, "a.hyper")
    return parameter


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("learning_rate choice [0.01,0.005]", CategoricalDistribution([0.01, 0.005])),
        ("learning_rate choice 0.01,0.005", CategoricalDistribution([0.01, 0.005])),
        ("hidden_size choice [128]", CategoricalDistribution([128])),
        ("loss_type choice ['CE', \"BPR\"]", CategoricalDistribution(["CE", "BPR"])),
        ("gru_bias choice [True,False]", CategoricalDistribution([True, False])),
        ("clip_grad_norm choice [None,5]", CategoricalDistribution([None, 5.0])),
        ("weight_decay uniform 0,0.1", FloatDistribution(0.0, 0.1)),
        ("weight_decay uniform 0.0 , 0.1", FloatDistribution(0.0, 0.1)),
        ("hidden_size quniform 32,256,32", IntDistribution(32, 256, step=32)),
        ("softmax_alpha quniform 0.1,0.7,0.1", FloatDistribution(0.1, 0.7, step=0.1)),
        ("learning_rate loguniform -8,-4", FloatDistribution(math.exp(-8), math.exp(-4), log=True)),
    ],
)
def test_each_kind_becomes_its_distribution(line, expected):
    assert only(line).distribution == expected


@pytest.mark.parametrize(
    "text",
    [
        "dropout_probs choice ['[0.25,0.5]','[0.2,0.2]']",
        "dropout_probs choice ['[0.25, 0.5]', '[0.2, 0.2]']",
        "dropout_probs choice [[0.25,0.5],(0.2,0.2)]",
    ],
)
def test_a_pair_is_one_choice_quoted_or_not(text):
    assert only(text).distribution.choices == ("[0.25,0.5]", "[0.2,0.2]")


@pytest.mark.parametrize(
    "line",
    [
        "n_layers\tchoice\t[1,2]",
        "  n_layers   choice   [1, 2]  ",
        "n_layers choice [1,2] # two are slower",
        "# n_layers was tried\n\n   \nn_layers choice [1,2]\n#",
        "n_layers choice [1,2]\r\n",
    ],
)
def test_white_space_and_comments_mean_nothing(line):
    assert only(line).distribution == CategoricalDistribution([1, 2])


@pytest.mark.parametrize(
    ("bounds", "low", "high"),
    [("0.04,0.52,0.1", 0.0, 0.5), ("0.06,0.58,0.1", 0.1, 0.6), ("0.05,0.55,0.1", 0.1, 0.5)],
)
def test_quniform_gives_the_multiples_that_hyperopt_rounds_to(bounds, low, high):
    """round(x / q) * q with x in lo..hi reaches up to half a step beyond."""
    assert only(f"weight_decay quniform {bounds}").distribution == FloatDistribution(low, high, step=0.1)


GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "recbole_search_lines.json").read_text())


@pytest.mark.parametrize("golden", [g for g in GOLDEN if g.get("type") == "choice"], ids=lambda g: g["line"])
def test_choices_are_read_as_recbole_reads_them(golden):
    if not golden["values"] or "B PR" in golden["line"]:  # no choice; RecBole closes the gap in 'B PR'
        with pytest.raises(InputError):
            parse_hyper(golden["line"], "a.hyper")
    else:
        assert list(only(golden["line"]).distribution.choices) == golden["values"]


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda g: g["line"])
def test_no_line_of_recboles_does_more_than_fail_with_an_explanation(golden):
    try:
        parse_hyper(golden["line"], "a.hyper")
    except InputError as error:
        assert str(error).startswith("a.hyper:1: ")  # noqa: PT017


def test_parameters_keep_their_order_and_lines():
    parameters = parse_hyper("\nn_layers choice [1]\n# no\nhidden-size choice [8]\n", "a.hyper")
    assert [(p.name, p.line) for p in parameters] == [("n_layers", 2), ("hidden_size", 4)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("n_layers choice[1,2]", "expected `name kind values` (RecBole skips such a line without a word)"),
        ("n_layers: [1, 2]", "unknown option 'n_layers:'; did you mean 'n_layers'?"),
        ("n_layers", "expected `name kind values`"),
        ("n_layer choice [1,2]", "unknown option 'n_layer'; did you mean 'n_layers'?"),
        ("n_layers choise [1,2]", "n_layers: unknown kind 'choise'; did you mean 'choice'?"),
        ("n_layers Choice [1,2]", "did you mean 'choice'?"),
        ("epochs choice [1,2]", "'epochs' is fixed, never searched; searchable: embedding_size"),
        ("seed choice [1,2]", "'seed' is fixed"),
        ("n_layers choice []", "n_layers: no choices"),
        ("n_layers choice [1,1]", "n_layers: the choice 1 appears twice"),
        ("n_layers choice [1,1.0]", "n_layers: the choice 1 appears twice"),
        ("n_layers choice [1,9]", "n_layers: 9: input should be less than or equal to 8"),
        ("n_layers choice [1,True]", "n_layers: True: input should be a number"),
        ("n_layers choice 1", "n_layers: 1 is not a list"),
        ("loss_type choice [CE,BPR]", "loss_type: [CE,BPR] is not a list"),
        ("n_layers choice [__import__('os').getpid()]", "is not a list"),
        ("n_layers choice list(range(1,3))", "is not a list"),
        ("n_layers choice [1,2", "is not a list"),
        ("n_layers choice {1,2}", "is not a list"),
        ("dropout_probs choice ['[0.25]']", "dropout_probs: [0.25]: one value more is needed"),
        ("dropout_probs choice [0.25,0.5]", "dropout_probs: (0.25,): one value more is needed"),
        ("dropout_probs uniform 0,1", "dropout_probs takes no range"),
        ("learning_rate uniform 0.1", "learning_rate: '0.1' should be numbers, as in `uniform lo,hi`"),
        ("learning_rate uniform 0.1,0.2,0.3", "as in `uniform lo,hi`"),
        ("learning_rate uniform a,b", "learning_rate: 'a,b' should be numbers"),
        ("learning_rate uniform 0.1,inf", "should be numbers"),
        ("learning_rate uniform [0.1,0.2]", "should be numbers"),
        ("learning_rate uniform 0.2,0.1", "learning_rate: low 0.2 is above high 0.1"),
        ("learning_rate uniform 0,0.1", "learning_rate: 0.0: input should be greater than 0"),
        ("hidden_size uniform 32,64", "hidden_size takes whole numbers: write `quniform lo,hi,1`"),
        ("hidden_size loguniform 3,4", "hidden_size takes whole numbers"),
        ("hidden_size quniform 32,64,0.5", "hidden_size: step 0.5 must be a whole number"),
        ("hidden_size quniform 32,64", "as in `quniform lo,hi,q`"),
        ("hidden_size quniform 32,64,0", "hidden_size: q 0 must be above 0"),
        ("softmax_alpha quniform 0,1,1e-30", "softmax_alpha: step 1e-30 is too fine to count: leave it out"),
        ("hidden_size quniform 64,32,8", "hidden_size: lo 64 is above hi 32"),
        ("hidden_size quniform 10,64,32", "(quniform gives multiples of 32: 0 to 64)"),
        ("learning_rate loguniform 0.0001,0.01", ":2: learning_rate: 1.0001"),
        ("learning_rate loguniform 0.0001,0.01", "(loguniform's bounds are exponents of e: ln 0.001 is -6.9)"),
        ("learning_rate loguniform -1,9999", "learning_rate: e to the power of 9999 is too large"),
    ],
)
def test_a_mistake_names_file_line_and_what_would_be_right(line, message):
    with pytest.raises(InputError) as error:
        parse_hyper(f"hidden_size choice [8]\n{line}\n", "folder/a.hyper")
    text = str(error.value)
    assert text.startswith("folder/a.hyper:2: ")
    assert message in text
    assert "\n" not in text
