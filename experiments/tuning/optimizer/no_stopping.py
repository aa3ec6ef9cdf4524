"""No stopping: every trial trains to its own end."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.tuning.optimizer.scheduler import Curve, Decision


class NoStopping:
    """Stops and pauses no trial."""

    def on_result(self, trial: Curve, curves: Sequence[Curve]) -> Decision:
        """Always continue."""
        return Decision.CONTINUE

    def next(self, curves: Sequence[Curve], *, more: bool) -> None:
        """None: no trial is ever paused."""

    def most_epochs(self, trials: int, epochs: int) -> int:
        """All epochs of all trials."""
        return trials * epochs
