"""Freed memory is used again."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys, torch
from narm.machine.allocator import keep_freed_memory
torch.set_num_threads(1)
if sys.argv[1] == "keep":
    keep_freed_memory()
def step():
    return [torch.ones(5 << 20) for _ in range(3)]  # 20 MB each
for repetition in range(11):
    if repetition == 8:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults_of_three_steps(how: str) -> int:
    """Page faults, where glibc returns large blocks at once: left alone it changes its ways as it goes."""
    command, environment = [sys.executable, "-c", SCRIPT, how], {**os.environ, "MALLOC_MMAP_THRESHOLD_": "131072"}
    return int(subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, env=environment).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told")
def test_a_step_finds_the_pages_of_the_last_one() -> None:
    kept, returned = faults_of_three_steps("keep"), faults_of_three_steps("return")
    assert kept < returned / 10
