"""How far an epoch has come, said while it is trained."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochProgress:
    """How far an epoch has come.

    Attributes:
        epoch: its number, from 1.
        n_targets: targets trained so far.
        expected: targets in the epoch, about.
        seconds: since it began.
    """

    epoch: int
    n_targets: int
    expected: int
    seconds: float

    @property
    def share(self) -> float:
        """The share of the targets that is trained; 1: what is left is to validate."""
        return min(1.0, self.n_targets / self.expected)

    @property
    def seconds_left(self) -> float:
        """Until the last target is trained, at the speed so far."""
        return self.seconds * (1 / self.share - 1) if self.n_targets else float("inf")


@dataclass(slots=True)
class Pulse:
    """Says every so many seconds how far the epoch has come, and at the end of a long one that it is to be validated.

    A step asks the clock, and no more: 0.1 microseconds of some milliseconds.

    Args:
        tell: called with the progress, by the thread that trains.
        every: seconds between two calls; an epoch that is shorter has none.
    """

    tell: Callable[[EpochProgress], None]
    every: float
    _epoch: int = field(init=False, default=0)
    _expected: int = field(init=False, default=1)
    _begun: float = field(init=False, default=0.0)
    _due: float = field(init=False, default=0.0)
    _has_told: bool = field(init=False, default=False)

    def begin(self, epoch: int, expected: int) -> None:
        """An epoch begins."""
        self._epoch, self._expected, self._has_told = epoch, expected, False
        self._begun = time.monotonic()
        self._due = self._begun + self.every

    def step(self, n_targets: int) -> None:
        """So many targets of the epoch are trained by now."""
        if time.monotonic() >= self._due:
            self._say(n_targets)

    def end(self) -> None:
        """All targets are trained."""
        if self._has_told:
            self._say(self._expected)

    def _say(self, n_targets: int) -> None:
        self._has_told = True
        seconds = time.monotonic() - self._begun
        self.tell(EpochProgress(epoch=self._epoch, n_targets=n_targets, expected=self._expected, seconds=seconds))
        self._due = time.monotonic() + self.every
