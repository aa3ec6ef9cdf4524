"""When kernels are used, and what happens where they cannot be."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from narm.kernels import compile as compiling

pytestmark = pytest.mark.slow

FIRST_USE = """
import logging, torch
logging.basicConfig(level=logging.INFO, format="%(message)s")
from narm.kernels.compile import compiled
assert compiled("dropout", torch.float32) is not None  # the one that compiles fastest
"""


def first_use(environment: Mapping[str, str]) -> str:
    """What a process says that needs a kernel."""
    command = [sys.executable, "-c", FIRST_USE]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stderr


@pytest.fixture(autouse=True)
def _forget():
    compiling.compiled.cache_clear()
    yield
    compiling.compiled.cache_clear()


def test_the_environment_switches_kernels_off(monkeypatch, caplog):
    monkeypatch.setenv("NARM_KERNELS", "off")
    assert compiling.compiled("gru", torch.float32) is None
    assert not caplog.records


def test_there_are_no_kernels_for_other_types():
    assert compiling.compiled("gru", torch.bfloat16) is None


def test_a_kernel_that_cannot_be_built_is_one_warning(monkeypatch, caplog):
    def fail(*_):
        raise OSError("no compiler here\nand more")

    monkeypatch.setattr(compiling, "_compile_once", fail)
    with caplog.at_level(logging.WARNING):
        assert compiling.compiled("gru", torch.float32) is None
        assert compiling.compiled("gru", torch.float32) is None
    assert [record.getMessage() for record in caplog.records] == [
        "cannot build the gru kernel (no compiler here): using plain torch, which is slower"
    ]


def test_the_first_run_says_that_it_compiles_and_a_second_one_does_not_even_from_a_copy_of_the_sources(tmp_path):
    shutil.copytree(Path(compiling.__file__).parents[1], tmp_path / "copy" / "narm")
    said, compiled = [], []
    for folder in (Path(compiling.__file__).parents[2], tmp_path / "copy"):
        environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(folder)}
        said.append(first_use(environment))
        compiled.append({path: path.stat().st_mtime_ns for path in tmp_path.glob("narm-search/kernels/*/*.nbc")})
    assert said[0].startswith("compiling the dropout kernel for this machine, once")
    assert said[1] == ""
    assert compiled[0] == compiled[1] != {}


@pytest.fixture
def blocked_cache(tmp_path, monkeypatch):
    """The user's cache cannot be made, and temporary files are those of the test."""
    blocked, temporary = tmp_path / "file", tmp_path / "tmp"
    blocked.touch()
    temporary.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    compiling.cache_directory.cache_clear()
    yield temporary
    compiling.cache_directory.cache_clear()


def test_where_the_users_cache_cannot_be_written_kernels_are_kept_among_temporary_files(blocked_cache):
    directory = compiling.cache_directory()
    assert directory.is_dir()
    assert directory.parents[1] == blocked_cache / f"narm-search-{os.getuid()}"


def test_but_not_in_a_folder_that_others_may_write(blocked_cache):
    (blocked_cache / f"narm-search-{os.getuid()}").mkdir()
    (blocked_cache / f"narm-search-{os.getuid()}").chmod(0o777)
    assert compiling.cache_directory() is None


def test_without_a_writable_cache_kernels_still_work(tmp_path):
    blocked = tmp_path / "file"
    blocked.touch()
    (tmp_path / f"narm-search-{os.getuid()}").touch()
    environment = os.environ | {"XDG_CACHE_HOME": str(blocked), "TMPDIR": str(tmp_path)}
    assert "no writable cache directory" in first_use(environment)
