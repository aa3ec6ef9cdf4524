"""What a search uses of its machine."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from experiments.tracking import system_metrics
from experiments.tracking.system_metrics import Snapshot, SystemMonitor, Usage
from narm.machine.cgroups import MemoryLimit


def snapshot(at: float, driver: float, **workers: float) -> Snapshot:
    return Snapshot(
        time=at,
        machine=(50.0, 3_000_000, 12.5),
        driver=Usage(driver, 2_000_000),
        workers={int(pid[1:]): Usage(seconds, 1_000_000) for pid, seconds in workers.items()},
    )


def test_cpu_is_that_of_the_interval():
    metrics = snapshot(14.0, 5.0, p1=9.0, p3=0.5).metrics_since(snapshot(10.0, 3.0, p1=7.0, p2=100.0))
    assert metrics == {
        "cpu_utilization_percentage": 50.0,
        "system_memory_usage_megabytes": 3.0,
        "system_memory_usage_percentage": 12.5,
        "driver_cpu_percentage": 50.0,  # 2 s of 4
        "driver_memory_megabytes": 2.0,
        "workers": 2,
        "workers_cpu_percentage": 62.5,  # 2 s of one that was there, 0.5 s of one that is new
        "workers_memory_megabytes": 2.0,
    }


def test_the_driver_is_seen_to_work():
    before, worked = Snapshot.take(), time.process_time() + 0.1
    while time.process_time() < worked:
        pass
    after = Snapshot.take()
    metrics = after.metrics_since(before)
    assert metrics["driver_cpu_percentage"] > 90 * 0.1 / (after.time - before.time)
    assert 1 < metrics["driver_memory_megabytes"] < metrics["system_memory_usage_megabytes"] * 2


def test_memory_is_that_of_the_container(monkeypatch):
    monkeypatch.setattr(system_metrics, "memory_limit", lambda: MemoryLimit(1_000_000, 250_000))
    assert Snapshot.take().machine[1:] == (250_000, 25.0)
    monkeypatch.setattr(system_metrics, "memory_limit", lambda: MemoryLimit(2**62, 250_000))
    assert Snapshot.take().machine[1] > 250_000


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names a process as Ray does, by prctl")
def test_a_worker_is_a_descendant_that_ray_named():
    name = "import ctypes; ctypes.CDLL(None).prctl(15, b'ray::train', 0, 0, 0)"
    ready = "print('ready', flush=True); input()"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", f"{prelude}; {ready}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for prelude in (name, "pass")
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            worker.stdout.readline()
        assert set(Snapshot.take().workers) == {workers[0].pid}
    finally:
        for worker in workers:
            worker.communicate("\n")


def test_samples_come_until_it_is_stopped():
    samples = []
    monitor = SystemMonitor(samples.append, interval=0.01)
    monitor.start()
    deadline = time.monotonic() + 10
    while len(samples) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    monitor.stop()
    n = len(samples)
    assert n >= 3
    time.sleep(0.05)
    assert len(samples) == n


def test_a_short_search_is_seen_too():
    samples = []
    monitor = SystemMonitor(samples.append, interval=60)
    monitor.start()
    monitor.stop()
    assert len(samples) == 1


def test_a_monitor_that_was_never_started_stops():
    SystemMonitor(print).stop()
