"""What the study database holds of a trial beside its parameters and values, and how to read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict, cast

import optuna
from optuna.trial import FrozenTrial, TrialState

from narm.training_state import EpochResult

# User attributes of a trial.
OPTIONS = "options"  # values of the options that its parameters stand for
SEED = "seed"  # seed of its training run
DEFAULT = "default"  # it is the default configuration
NEVER_STOPPED = "spared"  # no scheduler pauses or stops it
ORIGIN = "origin"  # where a configuration came from that no sampler drew
PARENT = "parent"  # number of the trial whose checkpoint it started from
PROGRESS = "progress"
REASON = "reason"  # why it ended, or waits
RETRIES = "retries"
TRACEBACK = "traceback"
RUN_ID = "mlflow_run_id"
COSTS = "costs"  # what its model costs, by name, where the search has constraints
INFEASIBLE = "infeasible"  # which constraint it breaks, and by what
SKIPPED = "skipped"  # it was not trained, since it breaks one

RECIPE = "recipe"
"""The origin of the trial of the recipe."""

SAMPLER = "sampler"
"""The origin of a trial that none of its attributes names: the sampler drew it."""

# User attributes of a study.
SPEC = "spec"
REPLACED = "repetitions_replaced"  # proposals of the sampler that the study had already


class TrialProgress(TypedDict):
    """How far a trial has come.

    Attributes:
        epochs: epochs trained so far.
        best_epoch: the epoch with the best validation.
        valid: validation metrics of the best epoch, by key.
        seconds: wall clock of all its epochs.
        value: the objective, the best so far.
    """

    epochs: int
    best_epoch: int
    valid: dict[str, float]
    seconds: float
    value: float


def progress_of(result: EpochResult, value: float) -> TrialProgress:
    """How far a trial has come with its latest epoch, whose objective is `value`."""
    return TrialProgress(
        epochs=result.epoch,
        best_epoch=result.best_epoch,
        valid=result.best,
        seconds=result.total_seconds,
        value=value,
    )


def read_progress(trial: FrozenTrial) -> TrialProgress | None:
    """How far a trial has come; None before its first report."""
    return cast("TrialProgress | None", trial.user_attrs.get(PROGRESS))


def options_of(trial: FrozenTrial) -> dict[str, Any]:
    """Values of the options that the space varies."""
    return dict(trial.user_attrs[OPTIONS])


def value_of(trial: FrozenTrial) -> float | None:
    """The best objective of a trial that has not failed; None before it has one."""
    progress = read_progress(trial)
    return None if progress is None or trial.state is TrialState.FAIL else progress["value"]


def origin_of(attributes: Mapping[str, Any]) -> str:
    """Who wanted a trial tried, by its user attributes."""
    if DEFAULT in attributes:
        return "default"
    if PARENT in attributes:
        return f"trial {attributes[PARENT]}"
    return str(attributes.get(ORIGIN, SAMPLER))


def trials_of(study: optuna.Study) -> list[FrozenTrial]:
    """All trials of a study, by number; not to be changed."""
    return study.get_trials(deepcopy=False)
