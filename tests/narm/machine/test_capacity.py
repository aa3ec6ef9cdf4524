"""The cores and the memory that there really are for this process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cgroup_tree import V2_MOUNT, cgroup_tree

from narm.machine.capacity import Cores, cores, usable_memory


def container(root: Path, **files: str | int) -> Path:
    named = {name.replace("_", "."): content for name, content in files.items()}
    return cgroup_tree(root, own="0::/\n", mounts=V2_MOUNT, files=named)


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))


@pytest.mark.parametrize(
    ("quota", "said"),
    [
        ("max 100000", "8 cores"),
        ("200000 100000", "2 of 8 cores (CPU quota)"),
        ("150000 100000", "2 of 8 cores (CPU quota)"),
        ("10000 100000", "1 of 8 cores (CPU quota)"),
        ("800000 100000", "8 cores"),
        ("6400000 100000", "8 cores"),
    ],
)
def test_a_quota_rounded_up_bounds_the_cores(tmp_path, quota, said):
    assert str(cores(container(tmp_path, cpu_max=quota))) == said


def test_the_tighter_of_quota_and_affinity_counts(tmp_path, monkeypatch):
    tree = container(tmp_path, cpu_max="400000 100000")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5})
    assert str(cores(tree)) == "2 of 8 cores (CPU affinity)"
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3, 4, 5})
    assert str(cores(tree)) == "4 of 8 cores (CPU quota)"


@given(quota=st.integers(1, 10**7), period=st.integers(1, 10**6), allowed=st.integers(1, 512))
def test_there_is_always_a_core_and_never_more_than_the_mask_has(quota, period, allowed):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "sched_getaffinity", lambda _: set(range(allowed)))
        patched.setattr("narm.machine.capacity.cpu_quota", lambda _: quota / period)
        assert 1 <= cores().usable <= allowed


def test_one_core_is_singular():
    assert str(Cores(1, 1)) == "1 core"


def test_a_limit_bounds_the_memory_unless_the_machine_has_less(tmp_path):
    machine = usable_memory(tmp_path / "none")
    assert usable_memory(container(tmp_path / "small", memory_max=2**20)) == 2**20
    assert usable_memory(container(tmp_path / "large", memory_max=2**62)) == machine
