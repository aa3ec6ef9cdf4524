"""What the study database says of a search: its winner, its default, and the whole as a summary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import optuna
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from experiments.tuning.study import trial_attributes
from experiments.tuning.study.dataset import Dataset
from experiments.tuning.study.environment import git_commit, versions
from experiments.tuning.study.objectives import Objective
from experiments.tuning.study.parameter_names import plain_names
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.study.summary import (
    Best,
    Counts,
    DatasetSummary,
    Default,
    Finals,
    OnBoundary,
    ParetoPoint,
    RecipeSummary,
    Summary,
    Timing,
    TrialState,
    TrialSummary,
)
from experiments.tuning.study.trial_attributes import options_of, origin_of, read_progress, trials_of, value_of
from search_spaces.space import SearchSpace


def winner(trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
    """The trial with the best objective, the first of equals; None before any has a value that may ship.

    A trial that the end of the search cut short may win: its checkpoint has that value. One that the scheduler
    stopped was behind others at its last epoch, and these have only become better since.
    """
    may_ship = [trial for trial in trials if trial_attributes.INFEASIBLE not in trial.user_attrs]
    valued = [(value, -trial.number, trial) for trial in may_ship if (value := value_of(trial)) is not None]
    return max(valued, default=(None, None, None))[-1]


def default_trial(trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
    """The trial of the default configuration, if it has a value."""
    defaults = [trial for trial in trials if trial_attributes.DEFAULT in trial.user_attrs]
    return next((trial for trial in defaults if value_of(trial) is not None), None)


def summarize(
    spec: StudySpec,
    dataset: Dataset,
    study: optuna.Study,
    *,
    run_id: Callable[[int], str | None],
    wall_seconds: float,
    trained_before: float = 0.0,
    reason: str | None = None,
    finals: Finals | None = None,
) -> Summary:
    """The current summary of a study.

    Args:
        spec: what the study is to do.
        dataset: what is known of the data.
        study: Optuna's, the truth.
        run_id: gives the MLflow run of a trial, as far as it is known.
        wall_seconds: wall clock of this session's search.
        trained_before: seconds of training by earlier sessions.
        reason: why it ended; None as long as it has not.
        finals: verdict on the finalists, once it is known.
    """
    known = trials_of(study)  # once: the database takes its time, and this is called while slots stand empty
    trials = [summarize_trial(trial, run_id(trial.number)) for trial in known if _has_begun(trial)]
    best, default = winner(known), default_trial(known)
    training = seconds_trained(known) - trained_before
    return Summary(
        study=spec.name,
        command=spec.command,
        git_commit=git_commit(),
        versions=versions(),
        seed=spec.seed,
        dataset=DatasetSummary.of(dataset),
        objective=spec.objective,
        constraints=[str(constraint) for constraint in spec.constraints],
        space={
            "name": spec.space.name,
            "size": spec.space.size,
            "source": spec.space.source,
            "by_data": spec.space.by_data,
        },
        recipe=_recipe(spec, known),
        trials=trials,
        counts=Counts.of(trials),
        best=_best(best) if best else None,
        default=_default(default) if default else None,
        finals=finals,
        on_boundary=on_boundary(best if finals is None else known[finals.winner], spec.space),
        pareto=_pareto(study, spec.objectives),
        stop_reason=reason,
        timing=Timing(
            wall_s=wall_seconds,
            training_s=training,
            overhead_s=max(0.0, wall_seconds * spec.concurrency - training),
        ),
    )


def seconds_trained(trials: Sequence[FrozenTrial]) -> float:
    """Wall clock of the training of all trials so far."""
    return sum(progress["seconds"] for trial in trials if (progress := read_progress(trial)))


def state_of(trial: FrozenTrial) -> TrialState:
    """How a trial ended, or that it waits."""
    if trial_attributes.SKIPPED in trial.user_attrs:
        return "INFEASIBLE"
    return cast("TrialState", trial.state.name) if trial.state.is_finished() else "INTERRUPTED"


def summarize_trial(trial: FrozenTrial, run_id: str | None = None) -> TrialSummary:
    """A trial as the summary has it."""
    attributes, progress = trial.user_attrs, read_progress(trial)
    return TrialSummary(
        number=trial.number,
        state=state_of(trial),
        params=options_of(trial),
        value=value_of(trial),
        best_epoch=progress["best_epoch"] if progress else None,
        epochs=progress["epochs"] if progress else 0,
        seconds=progress["seconds"] if progress else 0.0,
        mlflow_run_id=run_id or attributes.get(trial_attributes.RUN_ID),
        reason=attributes.get(trial_attributes.REASON),
        retries=attributes.get(trial_attributes.RETRIES, 0),
        origin=origin_of(attributes),
        infeasible=attributes.get(trial_attributes.INFEASIBLE),
    )


def _has_begun(trial: FrozenTrial) -> bool:
    """Whether a trial has begun; a configuration that is queued has not."""
    return trial.state.is_finished() or read_progress(trial) is not None


def _best(trial: FrozenTrial) -> Best:
    progress = read_progress(trial)
    return Best(number=trial.number, params=options_of(trial), valid=progress["valid"] if progress else {})


def _default(trial: FrozenTrial) -> Default:
    progress = read_progress(trial)
    return Default(number=trial.number, valid=progress["valid"] if progress else {})


def _recipe(spec: StudySpec, trials: Sequence[FrozenTrial]) -> RecipeSummary | None:
    tried = spec.recipe_trial
    if tried is None:
        return None
    found = (trial.number for trial in trials if origin_of(trial.user_attrs) == trial_attributes.RECIPE)
    return RecipeSummary(name=tried.name, number=next(found, None), why_not=tried.why_not or None)


def on_boundary(chosen: FrozenTrial | None, space: SearchSpace) -> Sequence[OnBoundary]:
    """Parameters of the winner that are an end of their range."""
    if chosen is None:
        return ()
    ends = space.boundary(plain_names(chosen.params))
    return [OnBoundary(name=name, value=value, side=side) for name, value, side in ends]


def _pareto(study: optuna.Study, objectives: Sequence[Objective]) -> Sequence[ParetoPoint]:
    if len(objectives) == 1 or not any(trial.state is OptunaState.COMPLETE for trial in trials_of(study)):
        return ()
    names = [objective.name for objective in objectives]
    return [
        ParetoPoint(number=trial.number, values=dict(zip(names, trial.values, strict=True)))
        for trial in study.best_trials
    ]
