"""A single training as it goes on: lines, and between them how far the epoch has come."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status

from experiments.reporting.within_epoch import A_LINE_EVERY, Heard
from narm.pulse import EpochProgress


class EpochLine:
    """Shows a long epoch in a line that is drawn anew on a terminal, and once a minute anywhere else.

    A context manager, at whose end the line is gone.

    Args:
        console: where to write.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()

    def say(self, line: str) -> None:
        """Write a line that stays."""
        self._clear()
        self._last_line = time.monotonic()
        self._console.out(line, highlight=False)

    def within_epoch(self, progress: EpochProgress) -> None:
        """The epoch has come so far."""
        now = time.monotonic()
        words = Heard(progress, now).words(now)
        if self._console.is_terminal and not self._console.quiet:
            self._draw(words)
        elif now - self._last_line >= A_LINE_EVERY:
            self.say(words)

    def _draw(self, words: str) -> None:
        if self._status is None:
            self._status = Status(words, console=self._console, refresh_per_second=2)
            self._status.start()
        else:
            self._status.update(words)

    def _clear(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
