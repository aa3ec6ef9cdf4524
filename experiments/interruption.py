"""What ends a search before its trials are done: Ctrl-C, SIGTERM, the time budget.

All stop Ray Tune the same way, and within seconds, through a stopper that says why. Ray's own handler covers SIGINT
alone and does not say that it was the reason.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ray.tune import Stopper

TIME_BUDGET = "time budget"
INTERRUPTED = "interrupted"


class Interruption(Stopper):
    """Ends every trial once there is a reason.

    Args:
        deadline: end of the time budget, on the clock of `time.monotonic`; None: no end.

    Attributes:
        reason: why the search ends early, None as long as it does not.
    """

    def __init__(self, deadline: float | None) -> None:
        self.reason: str | None = None
        self._deadline = deadline

    def __call__(self, trial_id: str, result: dict[str, object]) -> bool:
        """No trial is ended alone."""
        return False

    def stop_all(self) -> bool:
        """Whether there is a reason to end."""
        if self.reason is None and self._deadline is not None and time.monotonic() >= self._deadline:
            self.reason = TIME_BUDGET
        return self.reason is not None

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Within the block the first SIGINT or SIGTERM ends the search in good order, the second at once."""
        before = {number: signal.signal(number, self._interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self.reason == INTERRUPTED:
            raise KeyboardInterrupt
        self.reason = INTERRUPTED
