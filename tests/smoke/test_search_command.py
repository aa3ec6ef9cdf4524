"""The search as a person calls it, in an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.smoke


def search(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "experiments.search", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}  # this checkout, installed or not
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900, check=False
    )


def test_the_smoke_preset_finds_a_winner_and_says_so_to_a_program(tmp_path):
    done = search(tmp_path, "--preset", "smoke", "--json")
    assert done.returncode == 0, done.stderr
    assert "is better than the default configuration on test" in done.stderr
    assert "mlflow ui --backend-store-uri" in done.stderr
    (summary,) = (tmp_path / "runs").glob("synthetic-smoke-*/summary.json")
    assert done.stdout == summary.read_text()  # and nothing else
    assert json.loads(done.stdout)["counts"]["failed"] == 0
    assert "Traceback" not in done.stderr
    assert "\x1b[" not in done.stderr


def test_a_mistake_is_one_line(tmp_path):
    done = search(tmp_path, "--sampler", "tpee")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: sampler: there is no 'tpee'; did you mean 'tpe'?\n"
