"""`python -m experiments`: the list of commands, and the way to each."""

from __future__ import annotations

import sys
from pathlib import Path
from runpy import run_path

import pytest

from experiments import __main__ as program
from experiments.cli.commands import COMMANDS, PURPOSES
from experiments.cli.completion import SHELLS
from experiments.cli.running import run_command
from narm.errors import InputError


def test_the_commands_are_listed_by_purpose(capsys):
    assert run_command(program.main, []) == 0
    listed = capsys.readouterr().out
    for command in COMMANDS.values():
        assert f"  {command.name} " in listed
        assert command.summary in listed
    headings = [line for line in listed.splitlines() if line.removesuffix(":") in PURPOSES]
    assert headings == [f"{purpose}:" for purpose in PURPOSES]


@pytest.mark.parametrize("name", ["search", "compare-studies", "compare_studies"])
def test_a_command_runs_by_its_name_with_either_sign(name, capsys):
    with pytest.raises(SystemExit) as leave:
        program.main([name, "--help"])
    assert leave.value.code == 0
    assert f"usage: python -m experiments.{name.replace('_', '-')}" in capsys.readouterr().out


def test_a_command_with_a_hyphen_is_a_file_that_runs(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["compare-studies", "--help"])
    with pytest.raises(SystemExit) as leave:
        run_path(str(Path(program.__file__).with_name("compare-studies.py")), run_name="__main__")
    assert leave.value.code == 0
    assert "usage: python -m experiments.compare-studies" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["serach"], "there is no command 'serach'; did you mean 'search'?"),
        (["--print-completion", "cmd"], f"completion: 'cmd' is none of {', '.join(SHELLS)}"),
        (["search", "--trails", "3"], "unknown argument '--trails'; did you mean '--trials'?"),
    ],
)
def test_a_mistake_is_one_line(arguments, message):
    with pytest.raises(InputError) as error:
        program.main(arguments)
    assert str(error.value) == message
