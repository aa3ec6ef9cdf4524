"""How long a finalist may train: until its early stopping ends it, however short the trials of the search were.

A trial's bound saves time, which is what a search is short of. A finalist that it broke off would be judged half
trained: the default configuration most of all, which learns slowly and is what the winner is compared with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from narm.config import Config, TrainingConfig
from narm.optimization import ENDS_WITH_EPOCHS

PASSES = TrainingConfig().epochs
"""Passes over the sessions after which a run ends that early stopping has not ended: RecBole's bound."""


def finalist_epochs(options: Mapping[str, Any], config: Config, wanted: int | None) -> int:
    """Epochs of a finalist at most.

    With a schedule of the step size that ends with the last epoch, that number is part of the configuration, and stays.

    Args:
        options: the finalist's, of those that the space varies.
        config: options of the study, whose `epochs` a trial may have.
        wanted: what the study says; None: until early stopping.
    """
    training = config.replace(options).training
    if training.learning_rate_schedule in ENDS_WITH_EPOCHS:
        return training.epochs
    return max(training.epochs, wanted or PASSES * training.epochs_per_pass)
