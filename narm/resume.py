"""How training goes on from a checkpoint: of the same run, or of another one that it inherits from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from narm.checkpoint import read_checkpoint
from narm.config import Config, TrainingConfig
from narm.data.sessions import Splits
from narm.errors import InputError
from narm.optimization import ENDS_WITH_EPOCHS
from narm.training_state import TrainingState, read_history

# What may differ between a run and its continuation: how long it goes on, not how it learns.
_FREE = frozenset({"epochs", "stopping_step"})


def resume_training(state: TrainingState, path: Path, splits: Splits, training: TrainingConfig) -> None:
    """Take over the checkpoint of the same run.

    Raises:
        InputError: it is none, or of a run that learns in another way.
    """
    saved = _read_own(path, splits)
    model, _ = state.trained
    before = Config.from_flat(saved["config"]).flat()
    wanted = {**model.config.model_dump(mode="json"), **training.model_dump(mode="json")}
    for name, value in wanted.items():
        if name not in _free_options(training) and before[name] != value:
            raise InputError(f"{path}: was trained with {name} {before[name]}, not {value}; resume with the same")
    _take_weights(state, saved)
    state.epoch, state.misses = saved["epoch"], saved["misses"]
    state.history = read_history(saved["history"], training)
    state.best_epoch, state.best, state.best_weights = saved["best_epoch"], saved["best"], saved["best_weights"]


def inherit_training(state: TrainingState, path: Path, splits: Splits, training: TrainingConfig) -> None:
    """Start from where another run on the same data stands.

    Raises:
        InputError: it is of other data, or of a model of another shape.
    """
    saved = _read_own(path, splits)
    model, optimizer = state.trained
    own = {name: tensor.clone() for name, tensor in model.named_buffers()}  # a temperature that is not learned
    try:
        _take_weights(state, saved)
    except RuntimeError:
        raise InputError(f"{path}: is of a model of another shape; inherit from one of the same") from None
    for name, buffer in model.named_buffers():
        buffer.copy_(own[name])
    for group in optimizer.param_groups[:1]:  # the second is that of a learned temperature, without decay
        group["weight_decay"] = training.weight_decay
    state.epoch = saved["epoch"]


def _free_options(training: TrainingConfig) -> frozenset[str]:
    """A schedule that ends with the last epoch depends on which one that is."""
    return _FREE - {"epochs"} if training.learning_rate_schedule in ENDS_WITH_EPOCHS else _FREE


def _take_weights(state: TrainingState, saved: dict[str, Any]) -> None:
    model, optimizer = state.trained
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    if state.average is not None and saved.get("average"):
        state.average.load_state_dict(saved["average"])


def _read_own(path: Path, splits: Splits) -> dict[str, Any]:
    saved = read_checkpoint(path)
    if "optimizer" not in saved:
        raise InputError(f"{path}: holds a model to use, not its training; go on from the checkpoint of its run")
    if saved.get("refit", "none") != splits.refit:
        raise InputError(f"{path}: has learned from what was held out, once all was decided; go on from an earlier one")
    if saved["fingerprint"] != splits.fingerprint:
        raise InputError(
            f"{path}: was trained on other data ({saved['dataset']}); resume with the same dataset and options"
        )
    return saved
