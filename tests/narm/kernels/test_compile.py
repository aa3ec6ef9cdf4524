"""When kernels are used, and what happens where they cannot be."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from narm.kernels import compile as compiling
from narm.kernels.threads import run

FIRST_USE = """
import logging, torch
logging.basicConfig(level=logging.INFO, format="%(message)s")
from narm.kernels.compile import compiled
assert compiled("gru", torch.float32) is not None
"""


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


def test_the_first_run_says_that_it_compiles_and_the_second_does_not(tmp_path):
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    first, second = (
        subprocess.run([sys.executable, "-c", FIRST_USE], env=environment, capture_output=True, text=True, check=True)
        for _ in range(2)
    )
    assert first.stderr.startswith("compiling the gru kernel for this machine, once")
    assert second.stderr == ""
    assert list(tmp_path.glob("narm-search/kernels/*/*.nbc"))


def test_a_copy_of_the_sources_elsewhere_does_not_compile_again(tmp_path):
    shutil.copytree(Path(compiling.__file__).parents[1], tmp_path / "copy" / "narm")
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    compiled = []
    for folder in (".", tmp_path / "copy"):
        subprocess.run([sys.executable, "-c", FIRST_USE], cwd=folder, env=environment, check=True)
        compiled.append({path: path.stat().st_mtime_ns for path in tmp_path.glob("narm-search/kernels/**/*.nbc")})
    assert compiled[0] == compiled[1] != {}


def test_without_a_writable_cache_kernels_still_work(tmp_path):
    blocked = tmp_path / "file"
    blocked.touch()
    environment = os.environ | {"XDG_CACHE_HOME": str(blocked)}
    completed = subprocess.run(
        [sys.executable, "-c", FIRST_USE], env=environment, capture_output=True, text=True, check=True
    )
    assert "no writable cache directory" in completed.stderr


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_every_share_runs_once(threads):
    torch.set_num_threads(threads)
    shares = []
    run(lambda thread, total, name: shares.append((thread, total, name)), "work")
    assert sorted(shares) == [(thread, threads, "work") for thread in range(threads)]


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_in_a_thread_is_raised(threads):
    def fail(thread, total):
        if thread == total - 1:
            raise ZeroDivisionError

    torch.set_num_threads(threads)
    with pytest.raises(ZeroDivisionError):
        run(fail)


def test_another_runtime_falls_back_to_threads_of_python(monkeypatch):
    monkeypatch.setattr("narm.kernels.threads._openmp", lambda: None)
    torch.set_num_threads(2)
    shares = []
    run(lambda thread, total: shares.append(thread))
    assert sorted(shares) == [0, 1]
