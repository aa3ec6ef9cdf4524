"""What the study database says of a search: its winner, its default, and the whole as a summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import optuna
from optuna.trial import FrozenTrial

from experiments.environment import git_commit, versions
from experiments.searcher import DEFAULT, trial_options
from experiments.spec import StudySpec
from experiments.summary import (
    Best,
    Counts,
    DatasetSummary,
    Default,
    FinalMetrics,
    Summary,
    Timing,
    TrialState,
    TrialSummary,
)
from narm.data.sessions import Splits


def winner(study: optuna.Study) -> FrozenTrial | None:
    """The trial with the best objective, the first of equals; None before any has a value.

    A trial that the end of the search cut short may win: its checkpoint has that value. One that the scheduler
    stopped was behind others at its last epoch, and these have only become better since.
    """
    valued = [trial for trial in _finished(study) if state_of(trial) != "FAIL"]
    return max((trial for trial in valued if trial.value is not None), key=_rank, default=None)


def default_trial(study: optuna.Study) -> FrozenTrial | None:
    """The finished trial of the default configuration, if it has a value."""
    return next((trial for trial in _finished(study) if DEFAULT in trial.user_attrs and trial.value is not None), None)


def _rank(trial: FrozenTrial) -> tuple[float, int]:
    assert trial.value is not None
    return trial.value, -trial.number


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]


def summarize(
    spec: StudySpec,
    splits: Splits,
    study: optuna.Study,
    *,
    run_ids: Mapping[int, str | None],
    wall_seconds: float,
    test: FinalMetrics | None = None,
) -> Summary:
    """The summary of a study as it stands; trials in flight are not in it.

    Args:
        spec: of the study.
        splits: the data.
        study: the truth.
        run_ids: MLflow runs by trial number, as far as known.
        wall_seconds: since the search began.
        test: metrics of the finalists, once they are known.
    """
    trials = [_trial(trial, spec, run_ids.get(trial.number)) for trial in _finished(study)]
    best, default = winner(study), default_trial(study)
    training = sum(trial.seconds for trial in trials)
    return Summary(
        study=spec.name,
        command=spec.command,
        git_commit=git_commit(),
        versions=versions(),
        seed=spec.seed,
        dataset=DatasetSummary.of(splits),
        objective=spec.objective,
        space={"name": spec.space.name, "size": spec.space.size, "source": spec.space.source},
        trials=trials,
        counts=Counts.of(trials),
        best=_best(best, spec) if best else None,
        default=Default(number=default.number, valid=default.user_attrs["valid"]) if default else None,
        test=test,
        timing=Timing(
            wall_s=wall_seconds,
            training_s=training,
            overhead_s=max(0.0, wall_seconds * spec.concurrency - training),
        ),
    )


def state_of(trial: FrozenTrial) -> TrialState:
    """How a finished trial ended."""
    return cast("TrialState", trial.state.name)


def _best(trial: FrozenTrial, spec: StudySpec) -> Best:
    return Best(number=trial.number, params=_options(trial, spec), valid=trial.user_attrs["valid"])


def _trial(trial: FrozenTrial, spec: StudySpec, run_id: str | None) -> TrialSummary:
    attributes = trial.user_attrs
    return TrialSummary(
        number=trial.number,
        state=state_of(trial),
        params=_options(trial, spec),
        value=trial.value,
        best_epoch=attributes.get("best_epoch"),
        epochs=attributes.get("epochs", 0),
        seconds=attributes.get("seconds", 0.0),
        mlflow_run_id=run_id or attributes.get("mlflow_run_id"),
    )


def _options(trial: FrozenTrial, spec: StudySpec) -> dict[str, Any]:
    return trial_options(trial, spec.space, spec.config)
