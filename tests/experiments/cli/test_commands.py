"""The table of commands, and what all commands have in common."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import experiments
from experiments.cli.commands import COMMANDS, PURPOSES
from experiments.export import EXPORT_NAMES
from narm.export import FORMATS

FOLDER = Path(experiments.__file__).parent
HEAVY = ("torch", "ray", "optuna", "mlflow", "pandas", "numba", "pyarrow", "scipy")


def test_the_folder_has_the_commands_of_the_table_and_its_packages_and_nothing_else():
    files = {path.stem for path in FOLDER.glob("*.py")}
    assert files == {*COMMANDS, "__init__", "__main__"}
    assert len(files) + len(list(FOLDER.glob("*/__init__.py"))) <= 18


def test_every_command_has_a_purpose_and_every_purpose_a_command():
    assert {command.purpose for command in COMMANDS.values()} == set(PURPOSES)
    assert [name for name, command in COMMANDS.items() if command.name != name] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_docstring_begins_with_the_call_and_the_summary(name):
    source = Path(find_spec(COMMANDS[name].module).origin).read_text(encoding="utf-8")
    call, _, summary = ast.get_docstring(ast.parse(source)).splitlines()[0].partition("`: ")
    assert call.split(" ")[:3] == ["`python", "-m", f"experiments.{name}"]
    assert summary == f"{COMMANDS[name].summary}."


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_two_screens_and_has_examples(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = COMMANDS[name].parser().format_help()
    lines = text.splitlines()
    assert lines[0].startswith(f"usage: python -m experiments.{name} [options]")
    assert len(lines) <= 64
    assert max(map(len, lines)) <= 120
    assert "examples:" in text
    assert "exit status:" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_flag_is_explained(name):
    parser = COMMANDS[name].parser()
    assert [action.dest for action in parser.actions if not action.help] == []
    assert {"--version", "--help"} <= set(parser.flags)


def test_help_and_wrong_usage_import_nothing_heavy():
    """Counted in modules, not seconds, which depend on the machine; of all commands in one process."""
    code = f"""
import sys
from experiments.cli.commands import COMMANDS
from experiments.cli.running import run_command
for name, command in COMMANDS.items():
    command.parser().format_help()
    print(name, run_command(command.main, ["--no-such-flag"]), *(m for m in {HEAVY!r} if m in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=FOLDER.parent, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{name} 2" for name in COMMANDS]


def test_the_names_in_the_help_are_those_there_are():
    assert tuple(FORMATS) == EXPORT_NAMES
