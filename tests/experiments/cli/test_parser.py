"""Spellings of flags, mistakes, and help."""

from __future__ import annotations

import pytest

from experiments.cli.flags import add_options, given_options
from experiments.cli.parser import Parser
from narm.errors import InputError


@pytest.fixture
def parser() -> Parser:
    parser = Parser(prog="test")
    parser.add_argument("--time-budget")
    parser.add_argument("--epochs")
    parser.add_argument("--config")
    add_options(parser, skip=("epochs",))
    return parser


@pytest.mark.parametrize("flag", ["--learning_rate", "--learning-rate", "--LEARNING_RATE"])
@pytest.mark.parametrize("joint", [True, False])
def test_an_option_may_be_spelled_with_either_sign(parser, flag, joint):
    arguments = [f"{flag}=0.01"] if joint else [flag, "0.01"]
    assert given_options(parser.parse_args(arguments)) == {"learning_rate": "0.01"}


def test_recboles_names_are_known(parser):
    given = parser.parse_args(["--MAX_ITEM_LIST_LENGTH", "20", "--USER_ID_FIELD=user"])
    assert given_options(given) == {"max_item_list_length": "20", "session_column": "user"}


def test_a_flag_of_the_command_may_be_spelled_with_either_sign(parser):
    assert parser.parse_args(["--time_budget", "9"]).time_budget == "9"


def test_values_are_left_alone(parser):
    given = parser.parse_args(["--field_separator", "--n-layers"[2:], "--dropout_probs", "[0.1,0.2]"])
    assert given_options(given) == {"field_separator": "n-layers", "dropout_probs": "[0.1,0.2]"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--learning_rat", "1"], "unknown argument '--learning_rat'; did you mean '--learning_rate'?"),
        (["--time-budgt=9"], "unknown argument '--time-budgt=9'; did you mean '--time-budget'?"),
        (["--xyzzy"], "unknown argument '--xyzzy'; see --help and --help-options"),
        (
            ["--eval_args", "{}"],
            "unknown argument '--eval_args': a key of RecBole's, which a file may have: --config FILE",
        ),
        (["ml-100k"], "unknown argument 'ml-100k': every value follows its flag, see --help"),
        (["--n_layers"], "argument --n_layers: expected one argument"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_nearest(parser, arguments, message):
    with pytest.raises(InputError) as error:
        parser.parse_args(arguments)
    assert str(error.value) == message


def test_rare_flags_are_shown_when_asked_for(capsys):
    parser = Parser(prog="test")
    parser.add_rare_group("rarely").add_argument("--moon", help="phase")
    add_options(parser, "model")
    assert "--moon" not in parser.format_help()
    assert "--help-all" in parser.format_help()
    with pytest.raises(SystemExit):
        parser.parse_args(["--help-all"])
    shown = capsys.readouterr().out
    assert "--moon" in shown
    assert "--hidden_size" not in shown
    assert parser.parse_args(["--moon", "full"]).moon == "full"


def test_usage_is_one_line_that_names_the_positional_arguments():
    parser = Parser(prog="test")
    parser.add_argument("study", metavar="STUDY", help="name")
    add_options(parser)
    assert parser.format_help().splitlines()[0] == "usage: test [options] STUDY"


def test_the_version_is_printed(parser, capsys):
    with pytest.raises(SystemExit) as leave:
        parser.parse_args(["--version"])
    assert leave.value.code == 0
    assert capsys.readouterr().out.startswith("narm-search ")
