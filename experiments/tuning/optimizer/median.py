"""The median stopping rule (Golovin et al., "Google Vizier", KDD 2017, section 3.2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from experiments.tuning.optimizer.scheduler import Curve, Decision

FEWEST = 3  # a median of fewer says nothing


@dataclass(frozen=True, slots=True)
class MedianStopping:
    """Stops a trial whose value is below the median of the others' at the same epoch.

    Differs from the paper: values are the best so far on either side, not running means.
    """

    grace_epochs: int

    def on_result(self, trial: Curve, curves: Sequence[Curve]) -> Decision:
        """Stop it, or let it go on."""
        if trial.never_stopped or trial.epoch < self.grace_epochs:
            return Decision.CONTINUE
        others = [
            value for curve in curves if curve.number != trial.number and (value := curve.at(trial.epoch)) is not None
        ]
        behind = len(others) >= FEWEST and trial.values[trial.epoch] < median(others)
        return Decision.STOP if behind else Decision.CONTINUE

    def next(self, curves: Sequence[Curve], *, more: bool) -> None:
        """Nothing is ever paused."""

    def most_epochs(self, trials: int, epochs: int) -> int:
        """All of them."""
        return trials * epochs
