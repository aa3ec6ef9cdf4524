"""Exit statuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.cli.running import run_command
from narm.errors import InputError
from narm.machine.files import write_text


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


def test_a_reader_that_goes_away_is_no_error():
    code = (
        "import sys; from experiments.cli.running import run_command\n"
        "def command(arguments):\n"
        "    for _ in range(100_000): print('a line')\n"
        "    return 0\n"
        "sys.exit(run_command(command))"
    )
    command = f'{sys.executable} -c "$CODE" | head -1; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", command], env={**os.environ, "CODE": code}, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (141, "a line\n", "")


def test_a_file_that_cannot_be_written_is_one_line_and_status_2(capsys):
    def command(arguments):
        write_text(Path("/dev/full"), "new")
        return 0

    assert run_command(command) == 2
    assert capsys.readouterr() == ("", "error: /dev/full: No space left on device\n")


def test_an_error_of_the_system_that_names_no_file_is_none_of_the_users():
    def command(arguments):
        raise OSError(22, "Invalid argument")

    with pytest.raises(OSError, match="Invalid argument"):
        run_command(command)


@pytest.mark.slow
@pytest.mark.parametrize(("file", "kept"), [("r.json", True), ("", False)])
def test_a_result_that_goes_to_a_file_needs_no_reader(tmp_path, file, kept):
    code = (
        "import sys; from argparse import Namespace; from experiments.cli.running import run_command\n"
        "from experiments.cli.output import open_console, write_json\n"
        "def command(_):\n"
        "    given = Namespace(json=sys.argv[1] or None, quiet=False, verbose=0)\n"
        "    console = open_console(given)\n"
        "    for _ in range(10_000): console.print('a line')\n"
        "    open('done', 'w').close()\n"
        "    write_json(given, '1')\n"
        "    return 0\n"
        "sys.exit(run_command(command))"
    )
    command = f'{sys.executable} -c "$CODE" "{file}" | head -1; exit ${{PIPESTATUS[0]}}'
    environment = {**os.environ, "CODE": code, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode in ((0, 141) if kept else (141,))
    assert (done.stdout, done.stderr) == ("a line\n", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == (["done", "r.json"] if kept else [])


@pytest.mark.slow
def test_help_for_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -m experiments.train --help | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.returncode in (0, 141), done.stderr) == (True, "")
