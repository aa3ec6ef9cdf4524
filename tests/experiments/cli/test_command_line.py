"""Flags, their spellings, and exit statuses."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.cli.command_line import (
    Parser,
    add_options,
    add_output_flags,
    given_options,
    open_console,
    run_command,
    study_place,
    write_json,
)
from narm.config import OPTIONS
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
    assert all(f"--{name}\n" in printed for name in OPTIONS if name != "epochs")
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
@pytest.mark.usefixtures("heeds_sigint")
def test_a_signal_is_status_130_without_a_traceback(number, capsys):
    def command(arguments):
        os.kill(os.getpid(), number)
        return 0

    before = signal.getsignal(signal.SIGTERM)
    assert run_command(command) == 130
    assert signal.getsignal(signal.SIGTERM) is before
    assert capsys.readouterr() == ("", "")


def test_a_command_returns_its_own_status():
    assert run_command(lambda arguments: 3, ["--anything"]) == 3


@pytest.fixture
def talker() -> Parser:
    parser = Parser(prog="test", description="Talks.")
    add_output_flags(parser, result="the result")
    return parser


def talk(parser: Parser, *arguments: str) -> None:
    given = parser.parse_args(arguments)
    open_console(given).print("a message")
    write_json(given, '{"a": 1}\n')


@pytest.mark.parametrize(
    ("arguments", "out", "err"),
    [
        ([], "a message\n", ""),
        (["--quiet"], "", ""),
        (["--json"], '{"a": 1}\n', "a message\n"),
        (["--json", "--quiet"], '{"a": 1}\n', ""),
        (["--json", "result.json"], "a message\n", ""),
    ],
)
def test_messages_and_results_go_where_they_are_asked(talker, arguments, out, err, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    talk(talker, *arguments)
    assert capsys.readouterr() == (out, err)
    assert (tmp_path / "result.json").exists() == ("result.json" in arguments)


def test_the_file_of_the_result_is_tried_before_the_work(talker, tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        open_console(talker.parse_args(["--json", str(tmp_path)]))


def test_quiet_and_verbose_exclude_each_other(talker):
    with pytest.raises(InputError, match="not allowed with argument --quiet"):
        talker.parse_args(["--quiet", "--verbose"])


@pytest.mark.parametrize(
    ("arguments", "level"),
    [
        (["--quiet"], logging.ERROR),
        ([], logging.WARNING),
        (["--verbose"], logging.INFO),
        (["--verbose", "--verbose"], logging.DEBUG),
    ],
)
def test_the_log_level_follows(talker, arguments, level, monkeypatch):
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    before = root.level
    try:
        open_console(talker.parse_args(arguments))
        assert logging.getLogger("narm").getEffectiveLevel() == level
        assert root.level == (logging.WARNING if arguments == ["--verbose"] else level)
    finally:
        root.setLevel(before)
        for package in ("narm", "search_spaces", "experiments"):
            logging.getLogger(package).setLevel(logging.NOTSET)


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_are_for_terminals_and_no_color_is_heeded(talker, no_color, coloured, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    console = open_console(talker.parse_args([]))
    assert not console.is_terminal
    assert console.color_system is None
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    console = open_console(talker.parse_args([]))
    with console.capture() as captured:
        console.print("[red]a[/red]")
    assert ("\x1b[31m" in captured.get()) == coloured


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


def test_the_version_is_printed(talker, capsys):
    with pytest.raises(SystemExit) as leave:
        talker.parse_args(["--version"])
    assert leave.value.code == 0
    assert capsys.readouterr().out.startswith("narm-search ")


def test_a_reader_that_goes_away_is_no_error():
    code = (
        "import sys; from experiments.cli.command_line import run_command\n"
        "def command(arguments):\n"
        "    for _ in range(100_000): print('a line')\n"
        "    return 0\n"
        "sys.exit(run_command(command))"
    )
    command = f'{sys.executable} -c "$CODE" | head -1; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", command], env={**os.environ, "CODE": code}, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (141, "a line\n", "")


@pytest.mark.parametrize(
    ("study", "place"),
    [
        ("my-study", ("my-study", Path("runs"))),
        ("elsewhere/my-study", ("my-study", Path("elsewhere"))),
        ("elsewhere/my-study/", ("my-study", Path("elsewhere"))),  # as tab completion gives it
        ("my-study/", ("my-study", Path())),
        ("/data/runs/my-study", ("my-study", Path("/data/runs"))),
    ],
)
def test_a_study_may_be_named_by_its_folder(study, place):
    assert study_place(study, "runs") == place


def test_a_study_may_be_the_folder_that_one_is_in(tmp_path, monkeypatch):
    (tmp_path / "my-study" / "figures").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "my-study")
    assert study_place(".", "runs") == ("my-study", tmp_path)
    monkeypatch.chdir("figures")
    assert study_place("..", "runs") == ("my-study", tmp_path)
