"""Completion in a shell."""

from __future__ import annotations

import subprocess

import pytest

from experiments.cli.completion import SHELLS, completion
from narm.config import OPTIONS


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
