"""A Ray of one's own on this machine, that leaves nothing behind."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from numpy.typing import NDArray

from narm.data.sessions import Splits

# What Ray Tune logs as an error (trials that failed) is in the study, with its reason; the rest it raises.
logging.getLogger("ray.tune").setLevel(logging.CRITICAL)

_MEBIBYTE = 2**20
_OBJECT_STORE = 80 * _MEBIBYTE  # the least Ray takes, and enough for its own messages


@contextmanager
def ray_session(concurrency: int, splits: Splits) -> Iterator[Path]:
    """Start Ray for that many trials at once, with room for the data; yields a directory for its files.

    All that Ray leaves on disk goes with the session.
    """
    # Ray's ports listen on every interface; without a token of its own it would write one to the home directory.
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    on_sigterm = signal.getsignal(signal.SIGTERM)
    with tempfile.TemporaryDirectory(prefix="narm-", dir=_short_directory(), ignore_cleanup_errors=True) as directory:
        try:
            ray.init(
                num_cpus=concurrency,
                object_store_memory=_OBJECT_STORE + 2 * _size(splits),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _temp_dir=directory,
            )
            signal.signal(signal.SIGTERM, on_sigterm)  # Ray takes it, to abort
            yield Path(directory)
        finally:
            ray.shutdown()


def _short_directory() -> str | None:
    """For Ray's sockets, whose paths must be short: TMPDIR may be long."""
    return "/tmp" if Path("/tmp").is_dir() else None


def _size(splits: Splits) -> int:
    """Bytes of the arrays."""
    arrays: list[NDArray[Any]] = [splits.vocabulary.ids]
    for part in (splits.train, splits.valid, splits.test):
        arrays += [part.sessions.items, part.sessions.offsets, part.targets]
    return sum(array.nbytes for array in arrays)
