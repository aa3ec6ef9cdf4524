"""Flags, their spellings, and exit statuses."""

from __future__ import annotations

import os
import signal

import pytest

from experiments.command_line import Parser, add_options, given_options, run_command
from narm.config import options
from narm.errors import InputError


@pytest.fixture
def parser() -> Parser:
    parser = Parser(prog="test")
    parser.add_argument("--time-budget")
    parser.add_argument("--epochs")
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


def test_only_what_was_given_is_returned(parser):
    assert given_options(parser.parse_args([])) == {}
    assert given_options(parser.parse_args(["--epochs", "3"])) == {"epochs": "3"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--learning_rat", "1"], "unknown argument '--learning_rat'; did you mean '--learning_rate'?"),
        (["--time-budgt=9"], "unknown argument '--time-budgt=9'; did you mean '--time-budget'?"),
        (["--xyzzy"], "unknown argument '--xyzzy'; see --help and --help-options"),
        (["ml-100k"], "unknown argument 'ml-100k': every value stands behind its flag, see --help"),
        (["--n_layers"], "argument --n_layers: expected one argument"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_nearest(parser, arguments, message):
    with pytest.raises(InputError) as error:
        parser.parse_args(arguments)
    assert str(error.value) == message


def test_the_list_of_options_is_complete_and_says_why(parser, capsys):
    with pytest.raises(SystemExit) as leave:
        parser.parse_args(["--help-options"])
    assert leave.value.code == 0
    printed = capsys.readouterr().out
    assert all(f"--{name}\n" in printed for name in options() if name != "epochs")
    assert "(default: 0.001; RecBole's)" in printed


def test_only_the_sections_asked_for_get_flags():
    parser = Parser(prog="test")
    add_options(parser, "model")
    assert given_options(parser.parse_args(["--n_layers", "2"])) == {"n_layers": "2"}
    with pytest.raises(InputError):
        parser.parse_args(["--learning_rate", "1"])


def test_bad_input_is_one_line_and_status_2(capsys):
    def command(arguments):
        raise InputError("no good")

    assert run_command(command) == 2
    assert capsys.readouterr() == ("", "error: no good\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_status_130_without_a_traceback(number, capsys):
    def command(arguments):
        os.kill(os.getpid(), number)
        return 0

    before = signal.getsignal(signal.SIGTERM)
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    try:
        assert run_command(command) == 130
    finally:
        signal.signal(signal.SIGINT, ours)
    assert signal.getsignal(signal.SIGTERM) is before
    assert capsys.readouterr() == ("", "")


def test_a_command_returns_its_own_status():
    assert run_command(lambda arguments: 3, ["--anything"]) == 3
