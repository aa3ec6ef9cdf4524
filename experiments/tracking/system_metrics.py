"""Samples what a search uses of its machine: CPU and memory, in all, of the driver and of Ray's workers.

MLflow's own monitor sees the machine as a whole, and needs a server that answers; the names of what both measure agree.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import psutil

from narm.machine.cgroups import memory_limit

MEGABYTE = 1e6  # as MLflow counts
WORKER = "ray::"  # Ray's name for a process that trains, or waits to


class SystemMonitor:
    """A daemon thread that samples until it is stopped, and then once more: no search is too short to be seen.

    Args:
        log: takes each sample; called from the thread.
        interval: seconds between samples.
    """

    def __init__(self, log: Callable[[Mapping[str, float]], None], *, interval: float = 10.0) -> None:
        self._log = log
        self._interval = interval
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="system metrics", daemon=True)

    def start(self) -> None:
        """Begin to sample."""
        self._thread.start()

    def stop(self) -> None:
        """Take the last sample."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        before, stopped = Snapshot.take(), False
        while not stopped:
            stopped = self._stopping.wait(self._interval)
            now = Snapshot.take()
            self._log(now.metrics_since(before))
            before = now


@dataclass(frozen=True, slots=True)
class Usage:
    """Of a process: CPU seconds since it began, and resident bytes, those that it shares included."""

    cpu_seconds: float
    memory: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The machine and our processes at one moment.

    Attributes:
        time: on the clock of `time.monotonic`.
        machine: CPU of all cores in percent since the last snapshot; bytes used, and their share in percent: of the
            container where that has a limit.
        driver: this process.
        workers: by process id. Those of a Ray that this process has not started are not seen.
    """

    time: float
    machine: tuple[float, int, float]
    driver: Usage
    workers: Mapping[int, Usage]

    @classmethod
    def take(cls) -> Snapshot:
        """Look around."""
        driver = psutil.Process()
        return cls(
            time=time.monotonic(),
            machine=(psutil.cpu_percent(), *_memory()),
            driver=_usage(driver),
            workers=dict(_workers(driver.children(recursive=True))),
        )

    def metrics_since(self, before: Snapshot) -> dict[str, float]:
        """Metrics by name; the CPU of processes in percent of one core."""
        cpu, memory, share = self.machine
        percent = 100 / (self.time - before.time)
        earlier = {pid: usage.cpu_seconds for pid, usage in before.workers.items()}
        by_workers = sum(usage.cpu_seconds - earlier.get(pid, 0.0) for pid, usage in self.workers.items())
        return {
            "cpu_utilization_percentage": cpu,
            "system_memory_usage_megabytes": memory / MEGABYTE,
            "system_memory_usage_percentage": share,
            "driver_cpu_percentage": percent * (self.driver.cpu_seconds - before.driver.cpu_seconds),
            "driver_memory_megabytes": self.driver.memory / MEGABYTE,
            "workers": len(self.workers),
            "workers_cpu_percentage": percent * by_workers,
            "workers_memory_megabytes": sum(usage.memory for usage in self.workers.values()) / MEGABYTE,
        }


def _memory() -> tuple[int, float]:
    """Bytes in use, and their share of those that there are for this process, in percent."""
    machine, limit = psutil.virtual_memory(), memory_limit()
    if limit is None or limit.bytes >= machine.total:
        return machine.used, machine.percent
    return limit.used, 100 * limit.used / limit.bytes


def _workers(processes: Iterable[psutil.Process]) -> Iterator[tuple[int, Usage]]:
    for process in processes:
        try:
            if process.name().startswith(WORKER):
                yield process.pid, _usage(process)
        except psutil.Error:  # it has ended meanwhile
            continue


def _usage(process: psutil.Process) -> Usage:
    times = process.cpu_times()
    return Usage(cpu_seconds=times.user + times.system, memory=process.memory_info().rss)
