"""What this process may use of the machine: cores and memory, as the system and its container let it."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Literal, NamedTuple

from narm.machine.cgroups import ROOT, cpu_quota, memory_limit


class Cores(NamedTuple):
    """Cores to use, of all that the machine has, and what keeps the process from the others."""

    usable: int
    machine: int
    bound: Literal["CPU quota", "CPU affinity", ""] = ""

    def __str__(self) -> str:
        """`2 of 64 cores (CPU quota)`; `2 cores` where nothing bounds them."""
        if self.bound:
            return f"{self.usable} of {self.machine} cores ({self.bound})"
        return f"{self.usable} core{'s' * (self.usable != 1)}"


def cores(root: Path = ROOT) -> Cores:
    """The cores of this process: those that it may run on, and of these as many as its quota pays for, rounded up.

    Args:
        root: where the system's `/proc` and cgroups are.
    """
    machine = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else machine
    quota = cpu_quota(root)
    if quota is not None and math.ceil(quota) < allowed:
        return Cores(math.ceil(quota), machine, "CPU quota")
    return Cores(allowed, machine, "CPU affinity" if allowed < machine else "")


def usable_cores() -> int:
    """How many cores this process may use."""
    return cores().usable


def usable_memory(root: Path = ROOT) -> int:
    """Bytes that this process may use: the machine's, or less where a container limits them.

    A limit of the address space (`ulimit -v`) does not count: torch reserves many times what it uses.

    Args:
        root: where the system's `/proc` and cgroups are.
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = memory_limit(root)
    return machine if limit is None else min(machine, limit.bytes)
