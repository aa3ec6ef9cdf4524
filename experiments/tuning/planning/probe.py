"""What a configuration costs on this machine, measured by training on a small part of the data.

N targets of a split.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from narm.baselines.baseline import Baseline
from narm.config import Config
from narm.data.sessions import Examples, Sessions, Splits
from narm.model_options import used_options
from narm.training import create_model, fit

BATCHES = 8
LEAST_TARGETS = 4096
"""Trained on and validated on: enough for a figure within a tenth or so, in a second or two a configuration."""
WARM_UP_TARGETS = 64
WEIGHT, TRAINED_WEIGHT = 4, 16
"""Bytes of a parameter: in float32, and with its gradient and Adam's two moments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a configuration takes, on the threads of one worker.

    Attributes:
        pass_seconds: to train on every training target once.
        validation_seconds: to rank every validation target.
        parameter_bytes: weights, and of a network their gradients and moments.
    """

    pass_seconds: float
    validation_seconds: float
    parameter_bytes: int


def probe(config: Config, splits: Splits, *, device: str) -> Cost:
    """Measure a configuration, on the threads that this process computes with.

    Args:
        config: what to train.
        splits: the data; the test split is not read.
        device: auto, cpu or cuda.
    Raises:
        InputError: the configuration cannot be trained on these data.
    """
    _train_a_little(config, splits, WARM_UP_TARGETS, device)  # compiles kernels, and lets memory settle
    batch = config.training.train_batch_size if "train_batch_size" in used_options(config.model.model) else 0
    return _train_a_little(config, splits, max(LEAST_TARGETS, BATCHES * batch), device)


def _train_a_little(config: Config, splits: Splits, n_targets: int, device: str) -> Cost:
    part = replace(splits, train=some_sessions(splits.train, n_targets), valid=some_targets(splits.valid, n_targets))
    once = config.replace({"epochs": 1, "eval_step": 1, "epochs_per_pass": 1})
    model = create_model(part.n_items, once)
    (epoch,) = fit(model, part, once.training, once.evaluation, device=device)
    training_seconds = epoch.n_targets / epoch.targets_per_second
    return Cost(
        pass_seconds=len(splits.train) / epoch.targets_per_second,
        validation_seconds=(epoch.seconds - training_seconds) * len(splits.valid) / len(part.valid),
        parameter_bytes=epoch.n_parameters * (WEIGHT if isinstance(model, Baseline) else TRAINED_WEIGHT),
    )


def some_sessions(examples: Examples, n_targets: int) -> Examples:
    """Whole sessions that lie evenly among all, with about so many targets, [N]; all if there are no more."""
    if n_targets >= len(examples):
        return examples
    sessions = examples.sessions
    share = n_targets / len(examples)
    chosen = np.unique(np.linspace(0, len(sessions) - 1, max(2, round(share * len(sessions)))).astype(np.int64))
    offsets = np.concatenate([[0], np.cumsum(sessions.lengths[chosen])])
    items = np.concatenate([sessions[session] for session in chosen])
    return Examples.every_prefix(Sessions(items, offsets))


def some_targets(examples: Examples, n_targets: int) -> Examples:
    """So many targets that lie evenly among all, [N]; all if there are no more."""
    if n_targets >= len(examples):
        return examples
    chosen = np.linspace(0, len(examples) - 1, n_targets).astype(np.int64)
    return Examples(examples.sessions, examples.targets[chosen])
