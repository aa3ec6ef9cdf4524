"""What an epoch of a trial brought, as it travels from the worker to the search."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochReport:
    """A trial after an epoch.

    Attributes:
        epoch: epochs trained so far, from 1.
        value: the objective, the best so far.
        valid: validation metrics of this epoch; None where `eval_step` skips it.
        best: validation metrics of the best epoch so far.
        best_epoch: which that was.
        train_loss: mean over the targets; None: the model has no loss.
        seconds: wall clock of the epoch.
        total_seconds: of all its epochs so far, whichever worker trained them.
        targets_per_second: training speed.
        n_parameters: of the model.
        stopped_early: whether the trial's own early stopping ends it here.
        final: whether the trial ends here of its own accord.
    """

    epoch: int
    value: float
    valid: dict[str, float] | None
    best: dict[str, float]
    best_epoch: int
    train_loss: float | None
    seconds: float
    total_seconds: float
    targets_per_second: float
    n_parameters: int
    stopped_early: bool
    final: bool

    @property
    def mean_seconds(self) -> float:
        """Of an epoch."""
        return self.total_seconds / self.epoch
