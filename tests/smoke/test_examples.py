"""The examples run, offline, in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_own_sessions_are_searched_and_continued(tmp_path):
    command = [sys.executable, str(ROOT / "examples" / "own_sessions.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    tea, wine, bread = done.stdout.splitlines()[-3:]
    assert tea.startswith("tea-03 -> tea-04")
    assert "tea-05" in tea  # the next on the shelf
    assert "bread-03" in wine
    assert "bread-08" in bread  # what is unknown is ignored
    assert list(tmp_path.iterdir()) == []
