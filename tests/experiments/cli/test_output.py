"""Where messages, the log and results go."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from experiments.cli.output import add_output_flags, open_console, write_json
from experiments.cli.parser import Parser
from narm.errors import InputError


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


@pytest.mark.parametrize(("encoding", "printed"), [("utf-8", '{"a": "é"}\n'), ("latin-1", '{\n  "a": "\\u00e9"\n}\n')])
def test_json_is_json_in_any_encoding(talker, encoding, printed, monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", out)
    write_json(talker.parse_args(["--json"]), '{"a": "é"}\n')
    out.flush()
    assert out.buffer.getvalue().decode() == printed


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
