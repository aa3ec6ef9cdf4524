"""A Ray for a search: one of its own on this machine, that leaves nothing behind, or a running cluster."""

from __future__ import annotations

import gc
import logging
import math
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import ray
from numpy.typing import NDArray

from experiments.tuning.driver.signals import heed_interrupts
from narm.data.sessions import Splits
from narm.errors import InputError
from narm.machine.capacity import usable_memory

logger = logging.getLogger(__name__)

# What Ray Tune logs as an error (trials that failed) is in the study, with its reason; the rest it raises.
logging.getLogger("ray.tune").setLevel(logging.CRITICAL)

_MEBIBYTE = 2**20
_GIBIBYTE = 2**30
_OBJECT_STORE = 80 * _MEBIBYTE  # the least Ray takes, and enough for its own messages

_NICENESS = "RAY_worker_niceness"  # Ray's own is 15, at which any other program starves a search
_RAY_ADDRESS = "RAY_ADDRESS"
_HOST_AND_PORT = re.compile(r"([\w.-]+|\[[\da-fA-F:.]+\]):(\d{1,5})")
_CONNECT_SECONDS = 5.0  # a host that is up answers within milliseconds, anywhere
_JOIN_SECONDS = 20.0  # importing Ray and joining take 2 to 5 on a busy core
_JOIN = "import sys, experiments, ray; ray.init(address=sys.argv[1], log_to_driver=False, logging_level='ERROR')"


def cluster_address(given: str | None) -> str | None:
    """Address of the cluster to attach to: the one given, else Ray's RAY_ADDRESS; None, or `local`: a Ray of our own.

    Raises:
        InputError: it is no address of a head node.
    """
    address = given or os.environ.get(_RAY_ADDRESS)
    if address in (None, "", "local"):
        return None
    if address != "auto":
        _host_and_port(address)
    return address


def _source(address: str) -> str:
    """What to call an address in a message: the variable that it stands in, or the setting."""
    if os.environ.get(_RAY_ADDRESS) == address:
        return f"{_RAY_ADDRESS} (--address local is a Ray of the search's own)"
    return "address"


@contextmanager
def ray_session(
    concurrency: int, splits: Splits, *, resources: Mapping[str, float], address: str | None = None, nice: int = 0
) -> Iterator[Path]:
    """Start Ray for so many trials at once, with room for the data, or attach to a cluster, which is left running.

    Yields a directory for the files of this process; what a Ray of our own leaves on disk goes with the session too.
    Within a session that is open already, that one is used and left open.

    Args:
        concurrency: trials at once, which a Ray of our own makes room for.
        splits: data that its object store is to hold.
        resources: what a trial takes, as Ray names them: `{"cpu": 1, "gpu": 0.25}`.
        address: address of a cluster, from `cluster_address`; None: a Ray of our own.
        nice: niceness that a Ray of our own adds to that of its workers.
    Raises:
        InputError: the cluster does not let this process join, or no node has the resources of a trial.
    """
    on_sigterm = signal.getsignal(signal.SIGTERM)
    with _temporary_directory() as directory:
        if ray.is_initialized():
            _require_room(resources)
            yield Path(directory)
            return
        heed_interrupts()  # before Ray takes its time to start
        try:
            with _sigterm_as_interrupt(), _imports_as_here(directory):
                if address is None:
                    _start(math.ceil(concurrency * resources["cpu"]), splits, directory, nice)
                else:
                    _attach(address, nice)
            signal.signal(signal.SIGTERM, on_sigterm)  # Ray takes it, to abort
            _require_room(resources)
            yield Path(directory)
        finally:
            # What Tune left in a cycle gives its resources back when it is collected. In the middle of the shutdown
            # that ends the process, without a word of Python's.
            gc.collect()
            ray.shutdown()


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """While Ray starts, its own handler of SIGTERM leaves with SystemExit: an interruption like any other."""
    try:
        yield
    except SystemExit:
        raise KeyboardInterrupt from None


@contextmanager
def _imports_as_here(elsewhere: str) -> Iterator[None]:
    """Let workers import from the working directory only if this process does.

    Ray puts it before the installed packages, whatever it holds: a `torch.py`, another `experiments`.
    """
    if any(Path(entry or ".").resolve() == Path.cwd() for entry in sys.path):
        yield
        return
    with chdir(elsewhere):
        yield


def _start(cpus: int, splits: Splits, directory: str, nice: int) -> None:
    _require_loopback()
    # Ray's ports listen on every interface; without a token of its own it would write one to the home directory.
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    os.environ[_NICENESS] = str(nice)  # for the processes that Ray starts, which hand it on to their workers
    store = _OBJECT_STORE + 2 * _size(splits)
    _require_memory(store)
    try:
        with _sighup_held():
            ray.init(
                address="local",  # whatever RAY_ADDRESS says
                num_cpus=cpus,
                object_store_memory=store,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _temp_dir=directory,
            )
    except Exception as error:  # Ray has no type of error for a machine that does not give what it needs
        raise InputError(
            f"Ray does not start on this machine ({_first_line(error)}): see its limits, `ulimit -a`, and the room in "
            "/dev/shm and /tmp"
        ) from error


def _require_loopback() -> None:
    """Without it Ray's processes look for each other for minutes, and cannot be interrupted."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        raise InputError(
            f"network: nothing can be reached at 127.0.0.1 ({error.strerror or error}), where Ray's processes meet: "
            "bring the loopback interface up, `ip link set lo up`"
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@contextmanager
def _sighup_held() -> Iterator[None]:
    """Hold SIGHUP back in the block, and for ever in the processes that it starts.

    A terminal that goes sends it to Ray as well, which would be gone before the search has ended in good order.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _require_memory(store: int) -> None:
    """Ray looks no further than the machine, and the kernel would kill it as soon as the data are in its store."""
    usable = usable_memory()
    if store >= usable:
        raise InputError(
            f"memory: Ray takes {store / _GIBIBYTE:.1f} GiB for the data, and this process may use "
            f"{usable / _GIBIBYTE:.1f} GiB: raise the container's limit, or search on less data (--recent_share)"
        )


def _attach(address: str, nice: int) -> None:
    """Join a cluster, once it is sure that this ends: Ray itself tries for minutes, and cannot be interrupted."""
    if address != "auto":
        _require_listener(address)
    _require_cluster(address)
    ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    if nice:
        logger.warning("nice: %d has no effect: a cluster's workers have the niceness that Ray was started with", nice)


def _require_listener(address: str) -> None:
    try:
        socket.create_connection(_host_and_port(address), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        raise InputError(
            f"{_source(address)}: nothing answers at {address} ({error.strerror or error}): "
            "give the head node's HOST:PORT, as `ray start --head` prints it"
        ) from None


def _require_cluster(address: str) -> None:
    """Another process joins first, since that one can be killed when it hangs."""
    try:
        subprocess.run(
            [sys.executable, "-c", _JOIN, address], capture_output=True, text=True, check=True, timeout=_JOIN_SECONDS
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise InputError(
            f"{_source(address)}: cannot join a Ray cluster at {address} ({_last_line(error.stderr)}): run the search "
            "on one of its nodes, with its RAY_AUTH_TOKEN (RAY_AUTH_MODE=disabled if it has none), Ray and Python"
        ) from None


def _require_room(resources: Mapping[str, float]) -> None:
    """A trial that fits no node would wait for ever."""
    names = {name: name.upper() for name, amount in resources.items() if amount}
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    if any(all(node.get(names[name], 0) >= resources[name] for name in names) for node in nodes):
        return
    wanted = ", ".join(f"{resources[name]:g} {names[name]}" for name in names)
    most = ", ".join(f"{max(node.get(name, 0) for node in nodes):g} {name}" for name in names.values())
    raise InputError(f"resources: a trial takes {wanted}, and no node of Ray has that (at most {most}): ask for less")


def _host_and_port(address: str) -> tuple[str, int]:
    match = _HOST_AND_PORT.fullmatch(address)
    if not match or not 0 < int(match[2]) < 2**16:
        raise InputError(
            f"{_source(address)}: '{address}' is no HOST:PORT of a head node, such as 10.0.0.1:6379, nor auto"
        )
    return match[1].strip("[]"), int(match[2])


def _last_line(output: str | bytes | None) -> str:
    """What a failed process said last, without the prefix of Ray's C++ log."""
    text = output.decode(errors="replace") if isinstance(output, bytes) else output or ""
    lines = text.strip().splitlines()
    return lines[-1].rpartition("] ")[2] if lines else "no answer"


@contextmanager
def _temporary_directory() -> Iterator[str]:
    """A folder for Ray's sockets, whose paths must be short: TMPDIR may be long."""
    short = "/tmp" if os.access("/tmp", os.W_OK | os.X_OK) else None
    try:
        directory = tempfile.TemporaryDirectory(prefix="narm-", dir=short, ignore_cleanup_errors=True)
    except OSError as error:
        raise InputError(f"temporary files: {error.strerror or error}: set TMPDIR to a folder with room") from None
    with directory as path:
        yield path


def _size(splits: Splits) -> int:
    """Bytes of the arrays."""
    arrays: list[NDArray[Any]] = [splits.vocabulary.ids]
    for part in (splits.train, splits.valid, splits.test):
        arrays += [part.sessions.items, part.sessions.offsets, part.targets]
    return sum(array.nbytes for array in arrays)
