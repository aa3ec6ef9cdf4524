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

from experiments.engine import Engine
from experiments.signals import INTERRUPTS, was_interrupted

TIME_BUDGET = "time budget"
INTERRUPTED = "interrupted"


class Interruption(Stopper):
    """Ends every trial once there is a reason: its own, or the engine's.

    Args:
        engine: of the search.
        deadline: end of the time budget, on the clock of `time.monotonic`; None: no end.

    Attributes:
        reason: why the search is interrupted, None as long as it is not.
    """

    def __init__(self, engine: Engine, deadline: float | None) -> None:
        self.reason: str | None = None
        self._engine = engine
        self._deadline = deadline

    def __call__(self, trial_id: str, result: dict[str, object]) -> bool:
        """No trial is ended alone."""
        return False

    def stop_all(self) -> bool:
        """Whether there is a reason to end."""
        if self.reason is None and self._deadline is not None and time.monotonic() >= self._deadline:
            self.reason = TIME_BUDGET
        if self.reason is not None:
            self._engine.stop(self.reason)
        return self._engine.reason is not None

    def __getstate__(self) -> dict[str, object]:
        """Nothing: Ray pickles its stopper, and the engine holds the address of the study."""
        return {}

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Within the block the first SIGINT or SIGTERM ends the search in good order, the second at once.

        One that came before the block, and that nobody noticed, ends it too.
        """
        if was_interrupted():
            self.reason = INTERRUPTED
        before = {number: signal.signal(number, self._interrupt) for number in INTERRUPTS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self.reason == INTERRUPTED:
            raise KeyboardInterrupt
        self.reason = INTERRUPTED
