"""What is installed is what is here: code, spaces, templates, and the marker that types are to be checked."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("narm", "search_spaces", "experiments")
FOR_READERS = {"search_spaces/README.md"}


@pytest.mark.slow
def test_a_wheel_has_every_file_of_the_packages(tmp_path):
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    here = {
        str(path.relative_to(tmp_path)) for package in PACKAGES for path in (tmp_path / package).rglob("*.*")
    } - FOR_READERS
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "."]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        there = {name for name in archive.namelist() if name.partition("/")[0] in PACKAGES}
    assert here == there
    assert {f"{package}/py.typed" for package in PACKAGES} < there
