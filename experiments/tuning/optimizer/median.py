"""The median stopping rule (Golovin et al., "Google Vizier", KDD 2017, section 3.2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from experiments.tuning.optimizer.scheduler import Curve, Decision

FEWEST = 3  # values of other trials; the median of fewer says nothing


@dataclass(frozen=True, slots=True)
class MedianStopping:
    """Stops a trial whose value is below the median of the others' at the same epoch.

    Differs from the paper: values are the best so far on either side, not running means.

    Attributes:
        grace_epochs: epochs that every trial trains before it can be stopped.
    """

    grace_epochs: int

    def on_result(self, trial: Curve, curves: Sequence[Curve]) -> Decision:
        """Stop a trial below the median of at least `FEWEST` others."""
        if trial.never_stopped or trial.epoch < self.grace_epochs:
            return Decision.CONTINUE
        others = [
            value for curve in curves if curve.number != trial.number and (value := curve.at(trial.epoch)) is not None
        ]
        behind = len(others) >= FEWEST and trial.values[trial.epoch] < median(others)
        return Decision.STOP if behind else Decision.CONTINUE

    def next(self, curves: Sequence[Curve], *, more: bool) -> None:
        """None: no trial is ever paused."""

    def most_epochs(self, trials: int, epochs: int) -> int:
        """All epochs of all trials."""
        return trials * epochs
