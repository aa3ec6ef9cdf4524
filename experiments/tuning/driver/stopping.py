"""What ends a run of Ray Tune before its work is done: an interrupt, a time budget, another limit of a search.

All end it the same way, and within seconds, through a stopper. Ray's own handler covers SIGINT alone and does not say
that it was the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from ray.tune import Stopper

from experiments.tuning.driver.signals import interrupts_to, was_interrupted


class Interruptible(Protocol):
    """What Ray Tune works on: `experiments.tuning.driver.dispatcher.Dispatcher`."""

    def interrupt(self) -> None:
        """End it."""

    def check_deadlines(self) -> None:
        """End what has no time left."""

    @property
    def may_end(self) -> bool:
        """Whether no job in flight is worth waiting for."""


class Interruption(Stopper):
    """Ends every job at once when a person says so, or when none of them is worth waiting for.

    Args:
        work: what is to be ended.
    """

    def __init__(self, work: Interruptible) -> None:
        self._work = work
        self._is_requested = False

    def __call__(self, trial_id: str, result: dict[str, object]) -> bool:
        """No job is ended alone."""
        return False

    def stop_all(self) -> bool:
        """Whether to end; asked several times a second."""
        if self._is_requested:
            self._work.interrupt()
        self._work.check_deadlines()
        return self._work.may_end

    def __getstate__(self) -> dict[str, object]:
        """Nothing: Ray pickles its stopper, and the work holds the address of the study."""
        return {}

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Within the block the first interrupt ends the work in good order, the second at once.

        One that came before the block, and that nobody noticed, ends it too.
        """
        self._is_requested = was_interrupted()
        with interrupts_to(self.request):
            yield

    def request(self, number: int, frame: FrameType | None) -> None:
        """Take a signal.

        Raises:
            KeyboardInterrupt: it is the second.
        """
        if self._is_requested:
            raise KeyboardInterrupt
        self._is_requested = True
