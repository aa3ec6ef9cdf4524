"""Descriptions of runs in MLflow, as Markdown: what a run is, or what came of it."""

from __future__ import annotations

from experiments.tuning.engine.verdict import compared_metrics
from experiments.tuning.study.constraints import describe as describe_constraints
from experiments.tuning.study.objectives import describe
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.study.summary import (
    FinalistFailure,
    TrialState,
    TrialSummary,
)
from experiments.tuning.worker.reports import FinalistRun
from narm.metrics import key_of

_OUTCOME: dict[TrialState, str] = {
    "COMPLETE": "Trained to its end",
    "PRUNED": "Stopped",
    "FAIL": "Failed",
    "INTERRUPTED": "Interrupted",
    "INFEASIBLE": "Not trained",
}


def describe_search(spec: StudySpec, dataset: str) -> str:
    """Describe a study that has begun."""
    bounds = f"; what ships has {describe_constraints(spec.constraints)}" if spec.constraints else ""
    return (
        f"A search for the best {describe(spec.objectives)} of **{spec.config.model.model}** on **{dataset}**: up to "
        f"{spec.trials_possible} trials of {spec.config.training.epochs} epochs at most from the space "
        f"**{spec.space.name}**, drawn by {spec.sampler}, stopped by {spec.scheduler}{bounds}. "
        "The verdict will stand here."
    )


def describe_trial(trial: TrialSummary, objective: str) -> str:
    """Describe a trial that has ended, in a sentence."""
    if trial.state == "INFEASIBLE":
        return f"{_OUTCOME[trial.state]}: {trial.reason}."
    result = "" if trial.value is None else f", {objective} {trial.value:.4f} at epoch {trial.best_epoch}"
    reason = "" if trial.reason is None else f": {_verbatim(trial.reason)}"
    return f"{_OUTCOME[trial.state]} after {_epochs(trial.epochs)}{result}{reason}."


def describe_finalist(outcome: FinalistRun | FinalistFailure, objective: str) -> str:
    """Describe a training of a finalist, in a sentence."""
    if isinstance(outcome, FinalistFailure):
        return f"Trial {outcome.number} trained again failed: {_verbatim(outcome.reason)}."
    metrics = ", ".join(f"{name} {outcome.test[key_of(name)]:.4f}" for name in compared_metrics(objective))
    return (
        f"{_capital(outcome.finalist.label)} trained again: {metrics} on test, with the weights of epoch "
        f"{outcome.best_epoch} of {outcome.epochs}."
    )


def _epochs(n: int) -> str:
    return "1 epoch" if n == 1 else f"{n} epochs"


def _verbatim(reason: str) -> str:
    """As code, if it has characters that Markdown would interpret: `<class 'int'>`."""
    return f"`{reason.replace('`', chr(39))}`" if set(reason) & set("<>*_`[]") else reason


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
