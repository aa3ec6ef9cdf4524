from __future__ import annotations

import errno
import gc
import os
import re
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
import ray
import yaml

from experiments.tuning.driver.gc_freeze import short_collections
from experiments.tuning.driver.ray_session import cluster_address, ray_session
from experiments.tuning.driver.signals import remembered_interrupts
from narm.errors import InputError

# isort: split
from ray.autoscaler._private.util import prepare_config, validate_config

NICENESS = "RAY_worker_niceness"
DOCUMENTATION = Path(__file__).parents[4] / "docs"


@pytest.mark.parametrize(
    ("given", "environment", "address"),
    [
        (None, None, None),
        (None, "", None),
        (None, "local", None),
        (None, "10.0.0.1:6379", "10.0.0.1:6379"),
        ("10.0.0.2:6379", "10.0.0.1:6379", "10.0.0.2:6379"),
        ("local", "10.0.0.1:6379", None),
        ("auto", None, "auto"),
        ("[::1]:6379", None, "[::1]:6379"),
    ],
)
def test_a_cluster_is_attached_to_when_asked_for_by_flag_or_by_rays_own_variable(
    given, environment, address, monkeypatch
):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if environment is not None:
        monkeypatch.setenv("RAY_ADDRESS", environment)
    assert cluster_address(given) == address


@pytest.mark.parametrize(
    "address", ["head", "head:", "head:ray", "head:99999", ":6379", "ray://head:10001", "two heads:1"]
)
def test_what_is_no_address_is_refused(address, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(InputError, match=f"^address: '{re.escape(address)}' is no HOST:PORT"):
        cluster_address(address)


def test_a_mistake_in_rays_own_variable_is_not_blamed_on_the_flag(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:8265")  # as `ray job submit` wants it
    with pytest.raises(
        InputError, match=r"^RAY_ADDRESS \(--address local .*\): 'http://127.0.0.1:8265' is no HOST:PORT"
    ):
        cluster_address(None)


def search_on_a_machine(splits):
    """Start a Ray of one's own, and end it."""
    with ray_session(1, splits, resources={"cpu": 1}):
        pytest.fail("it started")


def test_a_machine_without_loopback_is_told_at_once(ring_splits, monkeypatch):
    def create_server(address):
        raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")

    monkeypatch.setattr(socket, "create_server", create_server)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(InputError, match=r"^network: .* 127.0.0.1 \(Cannot assign requested address\)"):
        search_on_a_machine(ring_splits)


def test_a_machine_that_ray_does_not_start_on_is_one_line(ring_splits, monkeypatch):
    def init(**_):
        raise RuntimeError("Failed to start GCS.\nand much more")

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(
        InputError, match=r"^Ray does not start on this machine \(Failed to start GCS\.\): see its limits"
    ):
        search_on_a_machine(ring_splits)


@pytest.mark.parametrize("others", [None, "15"])
def test_workers_of_ones_own_ray_are_as_nice_as_the_search_says(others, ring_splits, monkeypatch):
    monkeypatch.setenv(NICENESS, "")  # so that what the session sets is taken back
    monkeypatch.delenv(NICENESS)
    if others is not None:
        monkeypatch.setenv(NICENESS, others)
    nice = []

    def init(**_):
        nice.append(os.environ[NICENESS])
        raise RuntimeError

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    for wanted in ({}, {"nice": 5}):
        with pytest.raises(InputError), ray_session(1, ring_splits, resources={"cpu": 1}, **wanted):
            pass
    assert nice == ["0", "5"]


@pytest.mark.parametrize("nice", [0, 5])
def test_a_cluster_keeps_its_own_niceness_which_is_said(nice, ring_splits, monkeypatch, caplog):
    monkeypatch.setattr("experiments.tuning.driver.ray_session._require_listener", lambda _: None)
    monkeypatch.setattr("experiments.tuning.driver.ray_session._require_cluster", lambda _: None)
    monkeypatch.setattr("experiments.tuning.driver.ray_session._require_room", lambda _: None)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **_: None)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    with ray_session(1, ring_splits, resources={"cpu": 1}, address="10.0.0.1:6379", nice=nice):
        pass
    said = "nice: 5 has no effect: a cluster's workers have the niceness that Ray was started with"
    assert caplog.messages == ([said] if nice else [])


@pytest.mark.parametrize("imported_from", ["", ".", "here", None])
def test_workers_import_from_the_working_directory_only_if_this_process_does(
    imported_from, ring_splits, monkeypatch, tmp_path
):
    started_in = []

    def init(**_):
        started_in.append(Path.cwd())
        raise RuntimeError

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.chdir(tmp_path)
    path = {"here": [str(tmp_path)], None: []}.get(imported_from, [imported_from])
    monkeypatch.setattr(sys, "path", ["/usr/lib", *path])
    with pytest.raises(InputError):
        search_on_a_machine(ring_splits)
    assert (started_in == [tmp_path]) == (imported_from is not None)
    assert Path.cwd() == tmp_path


def test_a_machine_without_a_place_for_temporary_files_is_one_line(ring_splits, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "access", lambda *_: False)  # /tmp
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"^temporary files: No such file or directory: set TMPDIR"):
        search_on_a_machine(ring_splits)


def test_data_that_do_not_fit_the_containers_memory_are_refused_before_ray_starts(ring_splits, monkeypatch):
    monkeypatch.setattr("experiments.tuning.driver.ray_session.usable_memory", lambda: 64 * 2**20)
    monkeypatch.setattr("ray.init", lambda **_: pytest.fail("Ray starts"))
    with (
        pytest.raises(InputError, match=r"^memory: Ray takes 0.1 GiB for the data, and this process may use 0.1 GiB: "),
        ray_session(1, ring_splits, resources={"cpu": 1}),
    ):
        pass


def test_an_address_where_nothing_listens_is_refused_before_ray_tries_for_minutes(ring_splits, monkeypatch):
    monkeypatch.setattr("ray.init", lambda **_: pytest.fail("Ray tries"))
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # taken, so that no one else listens there
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        with (
            pytest.raises(InputError, match=rf"^address: nothing answers at {address} \(Connection refused\): give"),
            ray_session(1, ring_splits, resources={"cpu": 1}, address=address),
        ):
            raise AssertionError("attached to nothing")


def test_the_cluster_file_of_the_documentation_is_one_that_ray_takes():
    cluster = yaml.safe_load((DOCUMENTATION / "cluster" / "local.yaml").read_text())
    validate_config(prepare_config(cluster))
    for commands in (cluster["head_start_ray_commands"], cluster["worker_start_ray_commands"]):
        assert "RAY_AUTH_MODE=token" in commands[-1]


def test_a_sigterm_that_ray_takes_while_it_starts_is_an_interruption(ring_splits, monkeypatch):
    def starting(*_: object, **__: object) -> None:
        raise SystemExit(15)  # as Ray's handler does

    monkeypatch.setattr("ray.init", starting)
    with pytest.raises(KeyboardInterrupt), ray_session(1, ring_splits, resources={"cpu": 1}):
        pass


def test_ray_is_not_started_when_an_interruption_was_lost(ring_splits, monkeypatch):
    starts: list[object] = []
    monkeypatch.setattr("experiments.tuning.driver.ray_session._start", lambda *arguments: starts.append(arguments))
    with remembered_interrupts():
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt), ray_session(1, ring_splits, resources={"cpu": 1}):
            pass
    assert starts == []


class Circle:
    """In a cycle, and with something to do when it is collected, as what Tune leaves behind."""

    def __init__(self, told: list[str]) -> None:
        self.told, self.itself = told, self

    def __del__(self) -> None:
        self.told.append("collected")


def test_what_stands_in_a_cycle_is_collected_before_ray_is_shut_down(ring_splits, monkeypatch):
    told: list[str] = []
    monkeypatch.setattr("experiments.tuning.driver.ray_session._start", lambda *_: None)
    monkeypatch.setattr("experiments.tuning.driver.ray_session._require_room", lambda *_: None)
    monkeypatch.setattr("ray.shutdown", lambda: told.append("shut down"))
    gc.disable()
    try:
        with ray_session(1, ring_splits, resources={"cpu": 1}), short_collections():
            Circle(told)
    finally:
        gc.enable()
    assert told == ["collected", "shut down"]
