"""Training as a generator of epochs: `narm` owns one epoch, the caller owns the loop.

All randomness of an epoch (order, dropout, negatives) is drawn from the seed and the epoch's number alone, so that
a run resumed from a checkpoint after any epoch goes on bit for bit as if it had never stopped.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch

from narm.baselines.baseline import Baseline
from narm.build_model import Model, build_model
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
from narm.optimization import build_average, build_optimizer, learning_rate
from narm.pulse import Pulse
from narm.resume import inherit_training, resume_training
from narm.seeds import derived_seed
from narm.training_state import EpochResult, LiveEpoch, TrainingState, ends_training

ALMOST_WHOLE = 1 - 1e-9
"""The share of an epoch that is trained before its last step, at most: its parts differ a little in targets."""


class NonFiniteLoss(ArithmeticError):
    """The loss, or a score, became infinite or NaN; the message names the epoch and the configuration."""


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
    step_loss: StepLoss | None = None,
    pulse: Pulse | None = None,
) -> Iterator[LiveEpoch]:
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
            and epoch this one starts from; its best epoch is one of its own.
        step_loss: what a network's step minimises, in place of what `training.loss_type` names.
        pulse: says how far an epoch of a network has come, while it is trained.
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
    windows = training_windows(splits, training)
    steps_per_pass = len(windows.targets) / _positives_per_step(training)
    state = TrainingState(model, build_optimizer(model, training), build_average(model, training, steps_per_pass))
    if inherit is not None:
        inherit_training(state, inherit, splits, training)
    if resume is not None:
        resume_training(state, resume, splits, training)
        if state.epoch >= training.epochs or _exhausted(state, training):
            raise InputError(
                f"{resume}: its {state.epoch} epochs are all that epochs={training.epochs} and "
                f"stopping_step={training.stopping_step} allow; raise one of them to go on"
            )
    if training.epochs_per_pass > len(windows):
        raise InputError(
            f"epochs_per_pass: {training.epochs_per_pass} parts of {len(windows)} training sessions; divide a pass less"
        )
    step_loss = step_loss or build_step_loss(training, splits.train, splits.n_items)
    while state.epoch < training.epochs and not _exhausted(state, training):
        yield _train_epoch(state, windows, step_loss, splits, training, evaluation, pulse)
    model.load_state_dict(state.weights_for_use)


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
    pulse: Pulse | None,
) -> LiveEpoch:
    state.epoch += 1
    started = time.perf_counter()
    train_loss, n_targets = _train(state, windows, step_loss, training, pulse)
    return _conclude(state, train_loss, n_targets, started, splits, training, evaluation)


def _learn_at_once(
    model: Baseline, splits: Splits, training: TrainingConfig, evaluation: EvaluationConfig
) -> LiveEpoch:
    state = TrainingState(model, None, epoch=1)
    started = time.perf_counter()
    model.learn(splits.train)
    return _conclude(state, None, len(splits.train), started, splits, training, evaluation)


def _conclude(
    state: TrainingState,
    train_loss: float | None,
    n_targets: int,
    started: float,
    splits: Splits,
    training: TrainingConfig,
    evaluation: EvaluationConfig,
) -> LiveEpoch:
    """Validate after an epoch that has just been trained, if it is due, and record what the epoch brought."""
    trained = time.perf_counter()
    valid = None
    if training.eval_step and state.epoch % training.eval_step == 0:
        valid = _validate(state, splits, training, evaluation)
        state.note_validation(valid, evaluation.objective)
    seconds, stopped_early = time.perf_counter() - started, _exhausted(state, training)
    result = EpochResult(
        epoch=state.epoch,
        train_loss=train_loss,
        targets_per_second=n_targets / (trained - started),
        n_parameters=state.model.n_parameters,
        seconds=seconds,
        total_seconds=state.total_seconds + seconds,
        valid=valid,
        best_epoch=state.best_epoch,
        best=state.best,
        stopped_early=stopped_early,
        is_last=ends_training(state.epoch, training, stopped_early=stopped_early),
    )
    state.history.append(result)
    known = {part.name: getattr(result, part.name) for part in fields(result)}
    return LiveEpoch(**known, n_targets=n_targets, state=state)


def _validate(
    state: TrainingState, splits: Splits, training: TrainingConfig, evaluation: EvaluationConfig
) -> dict[str, float]:
    try:
        return evaluate(state.evaluated, splits.valid, evaluation, max_length=splits.max_length)
    except FloatingPointError as error:
        raise NonFiniteLoss(f"{error}, in epoch {state.epoch} of {_describe(state.trained[0], training)}") from None


def _train(
    state: TrainingState, windows: Windows, step_loss: StepLoss, training: TrainingConfig, pulse: Pulse | None
) -> tuple[float, int]:
    """Train on every window once, or on the epoch's part of them; the mean loss, and over how many targets."""
    model, optimizer = state.trained
    device = model.item_embedding.weight.device
    passes, part = divmod(state.epoch - 1, training.epochs_per_pass)
    torch.manual_seed(derived_seed(training.seed, state.epoch))
    order = np.random.default_rng(derived_seed(training.seed, passes + 1))
    batches = training_batches(windows, _positives_per_step(training), order, part=part, parts=training.epochs_per_pass)
    expected = len(windows.targets) / training.epochs_per_pass
    model.train()
    if pulse is not None:
        pulse.begin(state.epoch, round(expected))
    total, n_targets = 0.0, 0
    for step, batch in enumerate(batches):
        begun = min(n_targets / expected, ALMOST_WHOLE)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(training, (state.epoch - 1 + begun) / training.epochs_per_pass)
        optimizer.zero_grad(set_to_none=True)
        loss = step_loss(model, batch.to(device))
        value = loss.item()
        if not math.isfinite(value):
            raise NonFiniteLoss(f"the loss is {value} in epoch {state.epoch} of {_describe(model, training)}")
        loss.backward()  # type: ignore[no-untyped-call]
        if training.clip_grad_norm is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), training.clip_grad_norm)
        optimizer.step()
        if state.average is not None:
            state.average.update(model, step)
        total += value * len(batch)
        n_targets += len(batch)
        if pulse is not None:
            pulse.step(n_targets)
    if pulse is not None:
        pulse.end()
    return total / n_targets, n_targets


def _positives_per_step(training: TrainingConfig) -> int:
    """RecBole's: with BPR a batch counts its negatives."""
    if training.loss_type == "BPR":
        return max(training.train_batch_size // training.negative_sampling.sample_num, 1)
    return training.train_batch_size


def _exhausted(state: TrainingState, training: TrainingConfig) -> bool:
    return state.misses > training.stopping_step


def _describe(model: SessionEncoder, training: TrainingConfig) -> str:
    return f"{model.config!r}, {training!r}"
