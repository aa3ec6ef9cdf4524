"""Ctrl-C and SIGTERM: KeyboardInterrupt wherever the program is, and remembered, since an exception can be lost.

Python drops what is raised in the callback of a weak reference. Imports, and numba when it loads kernels, spend enough
time there to be hit, and while Ray starts the handler is its own. Whoever begins something long asks again.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


class _Arrivals:
    """Signals that came, whoever handled them: Python writes a byte for each."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        self._numbers: set[int] = set()
        for end in (self._read, self._write):
            os.set_blocking(end, False)
        self._before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)

    def numbers(self) -> set[int]:
        """Numbers of all signals so far."""
        with suppress(BlockingIOError):
            self._numbers.update(os.read(self._read, 4096))
        return self._numbers

    def close(self) -> None:
        """Stop listening."""
        signal.set_wakeup_fd(self._before)
        os.close(self._write)
        os.close(self._read)


_arrivals: _Arrivals | None = None


@contextmanager
def remembered_interrupts() -> Iterator[None]:
    """Within the block SIGTERM raises KeyboardInterrupt, as SIGINT does, and neither is forgotten."""
    global _arrivals
    outer, _arrivals = _arrivals, _Arrivals()
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        _arrivals.close()
        _arrivals = outer


def was_interrupted() -> bool:
    """Whether a signal came within the block that this runs in."""
    return _arrivals is not None and not _arrivals.numbers().isdisjoint(INTERRUPTS)


def heed_interrupts() -> None:
    """Raise KeyboardInterrupt if one came, and was lost."""
    if was_interrupted():
        raise KeyboardInterrupt


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
