"""Ctrl-C and SIGTERM: KeyboardInterrupt wherever the program is, and remembered, since an exception can be lost.

Python drops what is raised in the callback of a weak reference, and libraries that make thousands of objects, as numba
does when it loads kernels, spend enough time there to be hit. Whoever begins something long asks again.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import NoReturn

INTERRUPTS = (signal.SIGINT, signal.SIGTERM)
_received = Event()


@contextmanager
def remembered_interrupts() -> Iterator[None]:
    """Within the block SIGINT and SIGTERM raise KeyboardInterrupt; one that is ignored from the start stays so."""
    heeded = [number for number in INTERRUPTS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _interrupt) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _received.clear()


def was_interrupted() -> bool:
    """Whether a signal came within the block that this runs in."""
    return _received.is_set()


def heed_interrupts() -> None:
    """Raise KeyboardInterrupt if one came, and was lost."""
    if was_interrupted():
        raise KeyboardInterrupt


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    _received.set()
    raise KeyboardInterrupt
