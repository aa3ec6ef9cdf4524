"""The machine a figure was measured on: `python -m benchmarks.machine` prints it as JSON.

Absolute seconds mean little without it. The sgemm peak is the yardstick of `benchmarks.floor`.
"""

import importlib.metadata
import json
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from narm.machine.capacity import usable_cores, usable_memory

PACKAGES = ("torch", "numpy", "numba", "pandas", "ray", "optuna", "mlflow", "recbole")
"""Packages whose versions can move a figure; those that are not installed are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """CPU, memory and software under a measurement."""

    cpu: str
    instruction_set: str
    """The widest vector instructions torch uses, e.g. AVX2."""
    n_cores: int
    """Logical cores this process may use."""
    memory_gib: float
    """What it may use of the memory."""
    system: str
    python: str
    versions: dict[str, str]
    n_threads: int
    """Threads torch computes with."""
    sgemm_gflops: float
    """Measured peak of a float32 matrix product with `n_threads` threads, GFLOP/s."""


def describe() -> Machine:
    """Describe this machine and measure its sgemm peak, which takes about two seconds."""
    return Machine(
        cpu=cpu_model(),
        instruction_set=torch.backends.cpu.get_cpu_capability(),
        n_cores=usable_cores(),
        memory_gib=round(usable_memory() / 2**30, 1),
        system=platform.platform(),
        python=platform.python_version(),
        versions=installed_versions(),
        n_threads=torch.get_num_threads(),
        sgemm_gflops=round(sgemm_gflops(), 1),
    )


def cpu_model() -> str:
    """Name of the CPU as the system knows it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def installed_versions() -> dict[str, str]:
    """Versions of those PACKAGES that are installed."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def sgemm_gflops(size: int = 2048, seconds: float = 2.0) -> float:
    """Measure the peak of a float32 matrix product, in GFLOP/s.

    Args:
        size: rows and columns of the square factors; 2048 is large enough for the product to run at the
            pace of the arithmetic, and small enough for dozens of repetitions.
        seconds: how long to repeat; the best repetition counts, since others only ever slow it down.
    """
    left, right = torch.rand(size, size), torch.rand(size, size)
    product = torch.empty(size, size)
    best = float("inf")
    deadline = time.perf_counter() + seconds
    while (start := time.perf_counter()) < deadline:
        torch.mm(left, right, out=product)
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best / 1e9


if __name__ == "__main__":
    print(json.dumps(asdict(describe()), indent=2))
