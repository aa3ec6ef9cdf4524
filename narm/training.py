"""Training as a generator of epochs: `narm` owns one epoch, the caller owns the loop.

All randomness of an epoch (order, dropout, negatives) is drawn from the seed and the epoch's number alone, so that
a run resumed from a checkpoint after any epoch goes on bit for bit as if it had never stopped.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from narm.baselines.baseline import Baseline
from narm.build_model import Model, build_model
from narm.checkpoint import read_checkpoint
from narm.config import Config, EvaluationConfig, TrainingConfig
from narm.data.batches import training_batches
from narm.data.sessions import Splits
from narm.data.windows import Windows, cut_prefixes, cut_windows
from narm.errors import InputError
from narm.evaluation.full_ranking import evaluate
from narm.losses.step_loss import StepLoss, build_step_loss
from narm.machine.allocator import keep_freed_memory
from narm.machine.device import resolve_device
from narm.model import SessionEncoder
from narm.seeds import derived_seed


class NonFiniteLoss(ArithmeticError):
    """The loss, or a score, became infinite or NaN; the message names the epoch and the configuration."""


@dataclass(slots=True)
class TrainingState:
    """What a checkpoint holds: all that the next epoch depends on.

    Attributes:
        model: as it stands after the last epoch.
        optimizer: Adam and its moments; None: the model is learned at once.
        epoch: epochs trained so far.
        best_epoch: the epoch with the best validation so far; 0 before the first.
        best: its validation metrics.
        best_weights: its weights; empty where there is but one epoch.
        misses: validations since then.
        history: what each epoch brought: epoch, seconds, targets_per_second, n_parameters, train_loss, valid, and
            best_epoch and stopped_early as they stood then.
    """

    model: Model
    optimizer: torch.optim.Optimizer | None
    epoch: int = 0
    best_epoch: int = 0
    best: dict[str, float] = field(default_factory=dict)
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    misses: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    def judge(self, valid: dict[str, float], objective: str) -> None:
        """Keep the weights if they are the best so far, as RecBole does: rounded to 4 decimals, a tie is a new best."""
        if not self.best or round(valid[objective], 4) >= round(self.best[objective], 4):
            self.best_epoch, self.best, self.misses = self.epoch, valid, 0
            if not isinstance(self.model, Baseline):
                self.best_weights = copy.deepcopy(self.model.state_dict())
        else:
            self.misses += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochResult:
    """What one epoch brought.

    Attributes:
        epoch: epochs trained so far, from 1.
        train_loss: mean over the targets; None: the model has no loss, it counts.
        n_targets: targets trained in this epoch.
        train_seconds: wall clock of its training.
        valid_seconds: wall clock of its validation.
        valid: validation metrics by key (`recall_at_10`); None where `eval_step` skips the epoch.
        best_epoch: the best epoch so far by `valid_metric`; 0 before the first validation.
        best: its validation metrics.
        stopped_early: whether `stopping_step` ran out, so that this is the last epoch.
        state: live, the next epoch changes it: save it now or never.
    """

    epoch: int
    train_loss: float | None
    n_targets: int
    train_seconds: float
    valid_seconds: float
    valid: dict[str, float] | None
    best_epoch: int
    best: dict[str, float]
    stopped_early: bool
    state: TrainingState

    @property
    def seconds(self) -> float:
        """Wall clock of the epoch."""
        return self.train_seconds + self.valid_seconds

    @property
    def targets_per_second(self) -> float:
        """Training speed."""
        return self.n_targets / self.train_seconds


def create_model(n_items: int, config: Config) -> Model:
    """The model of a config; a network's initial weights follow from `config.training.seed` alone."""
    torch.manual_seed(derived_seed(config.training.seed, 0))  # epochs count from 1
    return build_model(n_items, config)


def fit(
    model: Model,
    splits: Splits,
    training: TrainingConfig,
    evaluation: EvaluationConfig,
    *,
    device: str = "auto",
    resume: Path | None = None,
    inherit: Path | None = None,
) -> Iterator[EpochResult]:
    """Train, an epoch at each step of the iteration; a baseline that is learned at once has one.

    Ends after `training.epochs`, or when `stopping_step` validations in a row brought no new best; the model then
    holds the weights of the best epoch. Seeds torch's global generator at each epoch.

    Args:
        model: trained in place, on `device`.
        splits: examples to learn from and to validate on; `splits.test` is not read.
        training: how.
        evaluation: what to validate by.
        device: auto, cpu or cuda.
        resume: a checkpoint of the same run to go on from.
        inherit: a checkpoint of another run on the same data, of a model of the same shape, whose weights, optimizer
            and epoch this one starts from; its best is its own.
    Raises:
        InputError: the checkpoint is not one of this run, or of one to inherit from, or leaves nothing to train; the
            device is not there; there is nothing to validate on.
        NonFiniteLoss: at the first step whose loss, or validation whose scores, are infinite or NaN.
    """
    if training.eval_step and not len(splits.valid):
        raise InputError("eval_step: there is nothing to validate on; set it to 0, or valid_share above 0")
    keep_freed_memory()
    if isinstance(model, Baseline):
        if resume is not None or inherit is not None:
            raise InputError(f"{resume or inherit}: nothing to go on from: the model is learned at once")
        yield _learn_at_once(model, splits, training, evaluation)
        return
    model.to(resolve_device(device))
    state = TrainingState(model, _adam(model, training))
    if inherit is not None:
        _inherit(state, inherit, splits, training)
    if resume is not None:
        _restore(state, resume, splits, training)
        if state.epoch >= training.epochs or _exhausted(state, training):
            raise InputError(
                f"{resume}: its {state.epoch} epochs are all that epochs={training.epochs} and "
                f"stopping_step={training.stopping_step} allow; raise one of them to go on"
            )
    windows = training_windows(splits, training)
    if training.epochs_per_pass > len(windows):
        raise InputError(
            f"epochs_per_pass: {training.epochs_per_pass} parts of {len(windows)} training sessions; divide a pass less"
        )
    step_loss = build_step_loss(training, splits.train, splits.n_items)
    while state.epoch < training.epochs and not _exhausted(state, training):
        yield _train_epoch(state, windows, step_loss, splits, training, evaluation)
    if state.best_weights:
        model.load_state_dict(state.best_weights)


def is_last(epoch: Mapping[str, Any], training: TrainingConfig) -> bool:
    """Whether training ends with this entry of `TrainingState.history`."""
    return bool(epoch["stopped_early"]) or epoch["epoch"] >= training.epochs


def training_windows(splits: Splits, training: TrainingConfig) -> Windows:
    """The training sessions, cut as `batching` and `window_stride` say."""
    if training.batching == "prefixes":
        return cut_prefixes(splits.train, splits.max_length)
    stride = training.window_stride or max(1, splits.max_length * 4 // 5)
    return cut_windows(splits.train, splits.max_length, min(stride, splits.max_length))


def _train_epoch(
    state: TrainingState,
    windows: Windows,
    step_loss: StepLoss,
    splits: Splits,
    training: TrainingConfig,
    evaluation: EvaluationConfig,
) -> EpochResult:
    state.epoch += 1
    started = time.perf_counter()
    train_loss, n_targets = _train(state, windows, step_loss, training)
    seconds = time.perf_counter() - started
    return _conclude(state, train_loss, n_targets, seconds, splits, training, evaluation)


def _learn_at_once(
    model: Baseline, splits: Splits, training: TrainingConfig, evaluation: EvaluationConfig
) -> EpochResult:
    state = TrainingState(model, None, epoch=1)
    started = time.perf_counter()
    model.learn(splits.train)
    seconds = time.perf_counter() - started
    return _conclude(state, None, len(splits.train), seconds, splits, training, evaluation)


def _conclude(
    state: TrainingState,
    train_loss: float | None,
    n_targets: int,
    train_seconds: float,
    splits: Splits,
    training: TrainingConfig,
    evaluation: EvaluationConfig,
) -> EpochResult:
    """Validate after an epoch, if it is time to, and note down what it brought."""
    started = time.perf_counter()
    valid = None
    if training.eval_step and state.epoch % training.eval_step == 0:
        valid = _validate(state, splits, training, evaluation)
        state.judge(valid, evaluation.objective)
    result = EpochResult(
        epoch=state.epoch,
        train_loss=train_loss,
        n_targets=n_targets,
        train_seconds=train_seconds,
        valid_seconds=time.perf_counter() - started,
        valid=valid,
        best_epoch=state.best_epoch,
        best=state.best,
        stopped_early=_exhausted(state, training),
        state=state,
    )
    state.history.append(
        {
            "epoch": state.epoch,
            "seconds": result.seconds,
            "targets_per_second": result.targets_per_second,
            "n_parameters": state.model.n_parameters,
            "train_loss": train_loss,
            "valid": valid,
            "best_epoch": state.best_epoch,
            "stopped_early": result.stopped_early,
        }
    )
    return result


def _validate(
    state: TrainingState, splits: Splits, training: TrainingConfig, evaluation: EvaluationConfig
) -> dict[str, float]:
    try:
        return evaluate(state.model, splits.valid, evaluation, max_length=splits.max_length)
    except FloatingPointError as error:
        raise NonFiniteLoss(f"{error}, in epoch {state.epoch} of {_describe(_trained(state)[0], training)}") from None


def _train(state: TrainingState, windows: Windows, step_loss: StepLoss, training: TrainingConfig) -> tuple[float, int]:
    """Train on every window once, or on the epoch's part of them; the mean loss, and over how many targets."""
    model, optimizer = _trained(state)
    device = model.item_embedding.weight.device
    passes, part = divmod(state.epoch - 1, training.epochs_per_pass)
    torch.manual_seed(derived_seed(training.seed, state.epoch))
    order = np.random.default_rng(derived_seed(training.seed, passes + 1))
    for group in optimizer.param_groups:
        group["lr"] = training.learning_rate * training.learning_rate_decay**passes
    model.train()
    total, n_targets = 0.0, 0
    for batch in training_batches(
        windows, _positives_per_step(training), order, part=part, parts=training.epochs_per_pass
    ):
        optimizer.zero_grad(set_to_none=True)
        loss = step_loss(model, batch.to(device))
        value = loss.item()
        if not math.isfinite(value):
            raise NonFiniteLoss(f"the loss is {value} in epoch {state.epoch} of {_describe(model, training)}")
        loss.backward()  # type: ignore[no-untyped-call]
        if training.clip_grad_norm is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), training.clip_grad_norm)
        optimizer.step()
        total += value * len(batch)
        n_targets += len(batch)
    return total / n_targets, n_targets


def _trained(state: TrainingState) -> tuple[SessionEncoder, torch.optim.Optimizer]:
    """The network of a run, and what trains it."""
    assert not isinstance(state.model, Baseline)
    assert state.optimizer is not None
    return state.model, state.optimizer


def _positives_per_step(training: TrainingConfig) -> int:
    """RecBole's: with BPR a batch counts its negatives."""
    if training.loss_type == "BPR":
        return max(training.train_batch_size // training.negative_sampling.sample_num, 1)
    return training.train_batch_size


def _adam(model: SessionEncoder, training: TrainingConfig) -> torch.optim.Optimizer:
    return torch.optim.Adam(
        model.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay, fused=True
    )


def _exhausted(state: TrainingState, training: TrainingConfig) -> bool:
    return state.misses > training.stopping_step


def _describe(model: SessionEncoder, training: TrainingConfig) -> str:
    return f"{model.config!r}, {training!r}"


# What may differ between a run and its continuation: how long it goes on, not how it learns.
_FREE_AT_RESUME = {"epochs", "stopping_step"}


def _read_own(path: Path, splits: Splits) -> dict[str, Any]:
    saved = read_checkpoint(path)
    if "optimizer" not in saved:
        raise InputError(f"{path}: holds a model to use, not its training; go on from the checkpoint of its run")
    if saved["fingerprint"] != splits.fingerprint:
        raise InputError(
            f"{path}: was trained on other data ({saved['dataset']}); resume with the same dataset and options"
        )
    return saved


def _inherit(state: TrainingState, path: Path, splits: Splits, training: TrainingConfig) -> None:
    saved = _read_own(path, splits)
    model, optimizer = _trained(state)
    try:
        model.load_state_dict(saved["model"])
    except RuntimeError:
        raise InputError(f"{path}: is of a model of another shape; inherit from one of the same") from None
    optimizer.load_state_dict(saved["optimizer"])
    for group in optimizer.param_groups:
        group["weight_decay"] = training.weight_decay
    state.epoch = saved["epoch"]


def _restore(state: TrainingState, path: Path, splits: Splits, training: TrainingConfig) -> None:
    saved = _read_own(path, splits)
    model, optimizer = _trained(state)
    before = Config.from_flat(saved["config"]).flat()
    wanted = {**model.config.model_dump(mode="json"), **training.model_dump(mode="json")}
    for name, value in wanted.items():
        if name not in _FREE_AT_RESUME and before[name] != value:
            raise InputError(f"{path}: was trained with {name} {before[name]}, not {value}; resume with the same")
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    state.epoch, state.misses, state.history = saved["epoch"], saved["misses"], saved["history"]
    state.best_epoch, state.best, state.best_weights = (
        saved["best_epoch"],
        saved["best"],
        saved["best_weights"],
    )
