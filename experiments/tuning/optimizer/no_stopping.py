"""Every trial runs to its own end."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.tuning.optimizer.scheduler import Curve, Decision


class NoStopping:
    """Stops nothing."""

    def on_result(self, trial: Curve, curves: Sequence[Curve]) -> Decision:
        """Go on."""
        return Decision.CONTINUE

    def next(self, curves: Sequence[Curve], *, more: bool) -> None:
        """Nothing is ever paused."""

    def most_epochs(self, trials: int, epochs: int) -> int:
        """All of them."""
        return trials * epochs
