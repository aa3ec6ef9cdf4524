"""The description of the machine."""

import json
from dataclasses import asdict

import pytest

from benchmarks import machine


def test_a_description_is_complete_and_prints_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "sgemm_gflops", lambda: 123.456)
    described = machine.describe()
    assert described.cpu
    assert described.n_threads >= 1
    assert described.n_cores >= 1
    assert described.memory_gib > 0.1
    assert described.sgemm_gflops == 123.5
    assert json.loads(json.dumps(asdict(described)))["versions"]["torch"].startswith("2.")


def test_packages_that_are_not_installed_have_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "PACKAGES", ("torch", "no-such-package"))
    assert list(machine.installed_versions()) == ["torch"]


def test_the_sgemm_peak_counts_two_operations_a_product(monkeypatch: pytest.MonkeyPatch) -> None:
    # A clock that ticks one second a reading: each product "takes" one second.
    ticks = iter(range(100))
    monkeypatch.setattr("benchmarks.machine.time.perf_counter", lambda: float(next(ticks)))
    assert machine.sgemm_gflops(size=10, seconds=4.0) == pytest.approx(2 * 10**3 / 1e9)
