"""What all commands have in common, the list of them, and completion."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from experiments import __main__ as program
from experiments.cli.command_line import run_command
from experiments.cli.commands import commands
from experiments.cli.completion import SHELLS, completion
from experiments.export import EXPORT_NAMES
from narm.config import OPTIONS
from narm.errors import InputError
from narm.export import FORMATS

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "ray", "optuna", "mlflow", "pandas", "numba", "pyarrow", "scipy")


def test_search_and_train_are_commands():
    assert {"search", "train"} <= commands().keys()
    assert commands()["search"].summary == "search the hyperparameters of NARM, or of a baseline, on a dataset"


def test_every_module_that_runs_is_listed():
    runs = {
        path.stem.replace("-", "_")
        for path in (ROOT / "experiments").glob("*.py")
        if "__main__" in path.read_text(encoding="utf-8")
    }
    assert runs - {"__main__"} == {command.module.rpartition(".")[2] for command in commands().values()}


@pytest.mark.parametrize("name", commands())
def test_help_fits_two_screens_and_has_examples(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = commands()[name].parser().format_help()
    lines = text.splitlines()
    assert lines[0].startswith(f"usage: python -m experiments.{name} [options]")
    assert len(lines) <= 64
    assert max(map(len, lines)) <= 120
    assert "examples:" in text
    assert "exit status:" in text


@pytest.mark.parametrize("name", commands())
def test_every_flag_is_explained(name):
    parser = commands()[name].parser()
    assert [action.dest for action in parser._actions if not action.help] == []
    assert {"--version", "--help"} <= parser._option_string_actions.keys()


@pytest.mark.parametrize("name", commands())
def test_help_and_wrong_usage_import_nothing_heavy(name):
    """Counted in modules, not seconds, which depend on the machine."""
    code = (
        "import sys; from experiments.cli.commands import commands; "
        "from experiments.cli.command_line import run_command; "
        f"command = commands()[{name!r}]; command.parser().format_help(); "
        f"print(run_command(command.main, ['--no-such-flag']), *(m for m in {HEAVY!r} if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2"


def test_the_names_in_the_help_are_those_there_are():
    assert tuple(FORMATS) == EXPORT_NAMES


def test_the_package_lists_its_commands(capsys):
    assert run_command(program.main, []) == 0
    listed = capsys.readouterr().out
    for command in commands().values():
        assert f"  {command.name} " in listed
        assert command.summary in listed


def test_a_command_runs_by_its_name(capsys):
    with pytest.raises(SystemExit) as leave:
        program.main(["search", "--help"])
    assert leave.value.code == 0
    assert "usage: python -m experiments.search" in capsys.readouterr().out


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


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_knows_every_flag(shell):
    script = completion(shell, program="narm")
    for flag in ("--time-budget", *(f"--{name}" for name in OPTIONS)):
        assert flag in script


def test_bash_completes(tmp_path):
    script = tmp_path / "completion.sh"
    script.write_text(completion("bash", program="narm"))
    ask = (
        f"source {script}; COMP_WORDS=(narm search --time-b); COMP_CWORD=2; "
        "_shtab_narm narm --time-b search; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["--time-budget"]
