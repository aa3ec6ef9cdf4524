"""What training has reached: the result of each epoch, and the state that the next one depends on."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from narm.baselines.baseline import Baseline
from narm.build_model import Model
from narm.config import TrainingConfig
from narm.model import SessionEncoder
from narm.optimization import WeightAverage


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochResult:
    """What one epoch brought, from `fit` to the study, MLflow and the display.

    Attributes:
        epoch: epochs trained so far, from 1.
        train_loss: mean over the targets; None: the model has no loss, it counts.
        targets_per_second: training speed, validation excluded.
        n_parameters: numbers in the model that training changes.
        seconds: wall clock of the epoch, validation included.
        total_seconds: wall clock of all epochs of the run so far, whichever process trained them.
        valid: validation metrics by key (`recall_at_10`); None where `eval_step` skips the epoch.
        best_epoch: the best epoch so far by `valid_metric`; 0 before the first validation.
        best: validation metrics of the best epoch; empty before the first validation.
        stopped_early: whether `stopping_step` ran out.
        is_last: whether training ends here, by early stopping or after its last epoch.
    """

    epoch: int
    train_loss: float | None
    targets_per_second: float
    n_parameters: int
    seconds: float
    total_seconds: float
    valid: dict[str, float] | None
    best_epoch: int
    best: dict[str, float]
    stopped_early: bool
    is_last: bool

    @property
    def mean_seconds(self) -> float:
        """Wall clock of an epoch, on average."""
        return self.total_seconds / self.epoch

    def record(self) -> dict[str, Any]:
        """The epoch in plain types, as checkpoints and the result of `experiments.train` hold it."""
        return {name: getattr(self, name) for name in _RECORDED}


_RECORDED = (
    "epoch", "seconds", "targets_per_second", "n_parameters", "train_loss", "valid", "best_epoch", "stopped_early",
)  # fmt: skip


@dataclass(slots=True)
class TrainingState:
    """What a checkpoint holds: all that the next epoch depends on.

    Attributes:
        model: as it is after the last epoch.
        optimizer: with its moments; None: the model is learned at once.
        average: average of the weights; None: there is none.
        epoch: epochs trained so far.
        best_epoch: the epoch with the best validation so far; 0 before the first.
        best: validation metrics of the best epoch.
        best_weights: weights of the best epoch; empty before the first validation, and for a baseline.
        misses: validations since the best epoch.
        history: result of each epoch.
    """

    model: Model
    optimizer: torch.optim.Optimizer | None
    average: WeightAverage | None = None
    epoch: int = 0
    best_epoch: int = 0
    best: dict[str, float] = field(default_factory=dict)
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    misses: int = 0
    history: list[EpochResult] = field(default_factory=list)

    @property
    def trained(self) -> tuple[SessionEncoder, torch.optim.Optimizer]:
        """The network of a run, and what trains it."""
        assert not isinstance(self.model, Baseline)
        assert self.optimizer is not None
        return self.model, self.optimizer

    @property
    def evaluated(self) -> Model:
        """What is validated and shipped: the model, or the one with the average of its weights."""
        return self.model if self.average is None else self.average.model

    @property
    def weights_for_use(self) -> dict[str, Tensor]:
        """The weights of the best epoch; those of the last one, before the first validation."""
        return self.best_weights or self.evaluated.state_dict()

    def note_validation(self, valid: dict[str, float], objective: str) -> None:
        """Keep the weights if they are the best so far, as RecBole does: rounded to 4 decimals, a tie is a new best."""
        if not self.best or round(valid[objective], 4) >= round(self.best[objective], 4):
            self.best_epoch, self.best, self.misses = self.epoch, valid, 0
            if not isinstance(self.model, Baseline):
                self.best_weights = copy.deepcopy(self.evaluated.state_dict())
        else:
            self.misses += 1

    @property
    def total_seconds(self) -> float:
        """Wall clock of all epochs so far."""
        return self.history[-1].total_seconds if self.history else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEpoch(EpochResult):
    """An epoch as `narm.training.fit` yields it, with what a checkpoint needs.

    Attributes:
        n_targets: targets trained in this epoch.
        state: live, the next epoch changes it: save it now or never.
    """

    n_targets: int
    state: TrainingState


def read_history(records: Iterable[Mapping[str, Any]], training: TrainingConfig) -> list[EpochResult]:
    """The epochs of a checkpoint.

    Args:
        records: `EpochResult.record` of each epoch, in order.
        training: how the run goes on, which says whether an epoch is its last.
    """
    results: list[EpochResult] = []
    valid: dict[int, dict[str, float]] = {}
    total = 0.0
    for record in records:
        total += record["seconds"]
        valid[record["epoch"]] = record["valid"]
        results.append(
            EpochResult(
                **{name: record[name] for name in _RECORDED},
                total_seconds=total,
                best=valid.get(record["best_epoch"], {}),
                is_last=ends_training(record["epoch"], training, stopped_early=record["stopped_early"]),
            )
        )
    return results


def ends_training(epoch: int, training: TrainingConfig, *, stopped_early: bool) -> bool:
    """Whether no epoch follows this one."""
    return stopped_early or epoch >= training.epochs
