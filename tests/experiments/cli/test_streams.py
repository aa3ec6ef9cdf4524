"""Anything can be printed, whatever standard output is."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.cli.streams import spell

RUN = "import os, sys; from experiments.cli.running import run_command; sys.exit(run_command(lambda _: {}))"


def run(body: str, redirect: str = "", **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = ["bash", "-c", f'"$0" -c "$1" {redirect}', sys.executable, RUN.format(body)]
    return subprocess.run(command, capture_output=True, env={"PATH": "/usr/bin:/bin", **environment}, check=False)


@given(text=st.text(max_size=20), encoding=st.sampled_from(["ascii", "latin-1", "cp1252", "koi8-r", "utf-8"]))
def test_no_text_is_an_error_in_any_encoding(text, encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=spell.__name__)
    stream.write(text)
    stream.flush()


@pytest.mark.parametrize(
    ("text", "encoding", "printed"),
    [
        ("0.1 ± 0.2 …", "ascii", b"0.1 +/- 0.2 ..."),
        ("0.1 ± 0.2 …", "latin-1", b"0.1 \xb1 0.2 ..."),
        ("☃", "ascii", rb"\u2603"),
        ("clicks\udcff.csv", "utf-8", b"clicks\xff.csv"),
        ("clicks\udcff.csv", "ascii", b"clicks\xff.csv"),
    ],
)
def test_what_an_encoding_lacks_is_spelled(text, encoding, printed):
    assert text.encode(encoding, spell.__name__) == printed


@pytest.mark.slow
@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONUTF8": "0", "LC_ALL": "POSIX"}])
def test_a_command_prints_in_the_encoding_it_finds(environment):
    done = run("print('caf\\u00e9 \\u2026') or print('\\u2603', file=sys.stderr) or 0", **environment)
    assert done.returncode == 0
    assert done.stdout in (rb"caf\xe9 ..." + b"\n", "café …\n".encode())  # POSIX may be coerced to UTF-8
    assert done.stderr in (rb"\u2603" + b"\n", "☃\n".encode())


@pytest.mark.slow
@pytest.mark.parametrize("redirect", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_are_no_error(redirect):
    """Nor do their numbers go to a file that is opened later."""
    done = run(
        "print(1) or print(2, file=sys.stderr) or bool(sys.stdin.read()) or os.open('/', os.O_RDONLY) < 3", redirect
    )
    assert done.returncode == 0
    assert done.stderr in (b"", b"2\n")


@pytest.mark.slow
def test_a_full_disk_behind_stdout_is_one_line():
    done = run("print(1) or 0", "> /dev/full")
    assert (done.returncode, done.stderr) == (2, b"error: standard output: No space left on device\n")
