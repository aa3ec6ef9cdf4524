"""Trains one run: a row for the table of runs."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from benchmarks.knobs.data_sets import DATA_SETS, DataSet, Options, load
from benchmarks.knobs.experiments import LOSSES, MODELS, NAMES, NEWEST_SHARE
from benchmarks.knobs.protocol import Run
from narm.config import Config, TrainingConfig
from narm.data.sessions import Splits
from narm.losses.step_loss import StepLoss
from narm.machine.threads import set_threads
from narm.metrics import key_of
from narm.model import NARM
from narm.training import NonFiniteLoss, create_model, fit
from narm.training_state import EpochResult

METRICS = tuple(f"{name}_at_{cutoff}" for name in ("mrr", "recall", "ndcg") for cutoff in (10, 20))


def train(run: Run, folder: Path | None) -> dict[str, object]:
    """Train on one thread, to the early stop or the last epoch.

    Args:
        run: what to train.
        folder: of the data.
    """
    set_threads(1)
    data_set = DATA_SETS[run.data_set]
    options = json.loads(run.options)
    config = own_config(data_set, options, folder).replace({"seed": run.seed})
    splits = load(config.data, data_set.share * options.get(NEWEST_SHARE, 1.0))
    epochs, failed = _epochs(config, options, splits)
    return {
        "data_set": run.data_set,
        "options": run.options,
        "seed": run.seed,
        **_summary(epochs, key_of(data_set.metric), failed=failed),
    }


def own_config(data_set: DataSet, options: Options, folder: Path | None = None) -> Config:
    """The options that narm knows.

    Raises:
        InputError: it does not know one of them, or a value is out of bounds.
    """
    return data_set.config({name: value for name, value in options.items() if name not in NAMES}, folder)


def changed_model(n_items: int, config: Config, options: Options) -> NARM:
    """The model of a config, with what experiments make of it; its weights follow from the seed alone."""
    model = create_model(n_items, config)
    assert isinstance(model, NARM)
    for name, change in MODELS.items():
        if name in options:
            model = change(model, options[name])
    return model


def changed_loss(training: TrainingConfig, options: Options, splits: Splits) -> StepLoss | None:
    """The loss that an experiment puts in the place of narm's; None: there is none."""
    counts = np.bincount(splits.train.target_items, minlength=splits.n_items)
    for name, build in LOSSES.items():
        if name in options:
            return build(training, counts, options[name])
    return None


def _epochs(config: Config, options: Options, splits: Splits) -> tuple[list[EpochResult], bool]:
    """The epochs of a run, and whether a loss or a score that is not finite has ended it."""
    model = changed_model(splits.n_items, config, options)
    step_loss = changed_loss(config.training, options, splits)
    epochs: list[EpochResult] = []
    try:
        epochs.extend(fit(model, splits, config.training, config.evaluation, device="cpu", step_loss=step_loss))
    except NonFiniteLoss:
        return epochs, True
    return epochs, False


def _summary(epochs: list[EpochResult], objective: str, *, failed: bool) -> dict[str, object]:
    """A run is worth its best epoch, not rounded as early stopping does; nothing if it failed."""
    best = max(epochs, key=lambda epoch: (epoch.valid or {})[objective], default=None)
    metrics = {} if best is None or failed else best.valid or {}
    return {
        "value": metrics.get(objective, math.nan),
        "best_epoch": 0 if best is None else best.epoch,
        "epochs": len(epochs),
        "seconds": epochs[-1].total_seconds if epochs else 0.0,
        **{name: metrics.get(name, math.nan) for name in METRICS},
    }
