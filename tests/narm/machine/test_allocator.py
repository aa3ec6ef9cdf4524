"""Freed memory is used again."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import os, resource, torch
from narm.machine.allocator import keep_freed_memory
torch.set_num_threads(1)
def step():
    return [torch.ones(5 << 20) for _ in range(3)]  # 20 MB each
for prepare in (keep_freed_memory, lambda: None):
    if os.fork():
        os.wait()
        continue
    prepare()
    for repetition in range(11):
        if repetition == 8:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before, flush=True)
    os._exit(0)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is asked to keep memory")
def test_a_step_finds_the_pages_of_the_last_one() -> None:
    """Counted in page faults, where glibc returns large blocks at once: left alone it adapts as it goes."""
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "131072"}
    printed = subprocess.run(
        [sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True, timeout=120, env=environment
    ).stdout
    kept, returned = map(int, printed.split())
    assert kept < returned / 10
