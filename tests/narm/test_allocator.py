"""Freed memory is used again."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys, torch
from narm.allocator import keep_freed_memory
torch.set_num_threads(1)
if sys.argv[1] == "keep":
    keep_freed_memory()
def step():
    return [torch.ones(5 << 20) for _ in range(3)]  # 20 MB each
for repetition in range(6):
    if repetition == 3:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults_of_three_steps(how: str) -> int:
    command = [sys.executable, "-c", SCRIPT, how]
    return int(subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told")
def test_a_step_finds_the_pages_of_the_last_one() -> None:
    kept, returned = faults_of_three_steps("keep"), faults_of_three_steps("return")
    assert kept < returned / 10
