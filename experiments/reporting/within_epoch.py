"""How far a long epoch has come, in words: for the display of a search, and for a single training."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.reporting.durations import format_duration
from narm.pulse import EpochProgress

A_LINE_EVERY = 60.0
"""Seconds between two lines in a log that say nothing but that training goes on."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was last said of an epoch, and when.

    Attributes:
        progress: what was said.
        at: when, on the clock of `time.monotonic`.
    """

    progress: EpochProgress
    at: float

    def share(self, now: float) -> float:
        """The share of the epoch's targets that is trained by now, at the speed so far."""
        said = self.progress
        return min(1.0, said.share * (said.seconds + now - self.at) / max(said.seconds, 1e-9))

    def words(self, now: float) -> str:
        """`epoch 3, 29 % of 719,470 targets, 2 min 10 s left`."""
        said = self.progress
        if said.share == 1:
            return f"epoch {said.epoch}, validating"
        left = max(0.0, said.seconds_left - (now - self.at))
        return (
            f"epoch {said.epoch}, {min(99, int(100 * self.share(now)))} % of {said.expected:,} targets, "
            f"{format_duration(left)} left"
        )
