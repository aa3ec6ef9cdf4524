"""What the study database holds of a trial beside its parameters and values, and how to read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict, cast

import optuna
from optuna.trial import FrozenTrial, TrialState

from experiments.tuning.worker.reports import EpochReport

# User attributes of a trial.
OPTIONS = "options"  # values of the options that its parameters stand for
SEED = "seed"  # of its training
DEFAULT = "default"  # it is the default configuration
NEVER_STOPPED = "spared"  # no scheduler holds it up
ORIGIN = "origin"  # where a configuration came from that no sampler drew
PARENT = "parent"  # number of the trial whose checkpoint it started from
PROGRESS = "progress"
REASON = "reason"  # why it ended, or waits
RETRIES = "retries"
TRACEBACK = "traceback"
RUN_ID = "mlflow_run_id"

SAMPLER = "sampler"
"""The origin of a trial that none of its attributes names: the sampler drew it."""

# User attributes of a study.
SPEC = "spec"
REPLACED = "repetitions_replaced"  # proposals of the sampler that the study had already


class Progress(TypedDict):
    """How far a trial has come.

    Attributes:
        epochs: trained so far.
        best_epoch: with the best validation.
        valid: metrics of that epoch, by key.
        seconds: of training.
        value: the objective, the best so far.
    """

    epochs: int
    best_epoch: int
    valid: dict[str, float]
    seconds: float
    value: float


def progress_of(report: EpochReport) -> Progress:
    """How far the trial that reported has come."""
    return Progress(
        epochs=report.epoch,
        best_epoch=report.best_epoch,
        valid=report.best,
        seconds=report.total_seconds,
        value=report.value,
    )


def read_progress(trial: FrozenTrial) -> Progress | None:
    """How far a trial has come; None before its first report."""
    return cast("Progress | None", trial.user_attrs.get(PROGRESS))


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
