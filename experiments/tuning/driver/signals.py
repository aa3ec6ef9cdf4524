"""Ctrl-C, SIGTERM, SIGHUP: KeyboardInterrupt wherever the program is, and remembered, since an exception can be lost.

Python drops what is raised in a callback, be it that of a weak reference or one that C calls. Imports, and numba when
it compiles or loads kernels, spend enough time there to be hit, and while Ray starts the handler is its own. Whoever
begins something long asks again.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""A person's, a batch system's, and that of a terminal or an ssh connection that has gone."""

Handler = Callable[[int, FrameType | None], None]


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
    """Within the block every interrupt raises KeyboardInterrupt, and none is forgotten."""
    global _arrivals
    outer, _arrivals = _arrivals, _Arrivals()
    try:
        with interrupts_to(_interrupt):
            yield
    finally:
        _arrivals.close()
        _arrivals = outer


@contextmanager
def interrupts_to(handler: Handler) -> Iterator[None]:
    """Within the block `handler` takes the interrupts, but for those that this process was started to ignore.

    `nohup` has SIGHUP ignored, and a script SIGINT for what it runs in the background.
    """

    def take(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            signal.signal(number, signal.SIG_IGN)  # the kernel and the shell send one each when a terminal goes
            _leave_terminal()
        handler(number, frame)

    before = {number: signal.getsignal(number) for number in INTERRUPTS}
    heeded = {number: known for number, known in before.items() if known != signal.SIG_IGN}
    for number in heeded:
        signal.signal(number, take)
    try:
        yield
    finally:
        for number, known in heeded.items():
            signal.signal(number, known)


def was_interrupted() -> bool:
    """Whether a signal came within the block that this runs in."""
    return _arrivals is not None and not _arrivals.numbers().isdisjoint(INTERRUPTS)


def heed_interrupts() -> None:
    """Raise KeyboardInterrupt if one came, and was lost."""
    if was_interrupted():
        raise KeyboardInterrupt


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _leave_terminal() -> None:
    """Send to nowhere what goes to a terminal that has hung up: writing there is an error, in the midst of the end."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # without a file, closed, or None: the shell's `>&-`
            descriptor = stream.fileno()
            try:
                os.write(descriptor, b"")
            except OSError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
