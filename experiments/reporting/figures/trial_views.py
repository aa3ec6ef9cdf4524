"""Copies of a study in memory, for figures: with best values alone, or without attributes."""

from __future__ import annotations

import copy
import math

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from experiments.tuning.study.trial_attributes import trials_of, value_of


def judged(study: optuna.Study) -> optuna.Study:
    """The study with its metric alone, in which every trial counts with the best value it reached.

    Optuna's figures leave out what was pruned, which is most of a search with a scheduler, although it shows where not
    to look. Trials without a value are FAIL, so that the numbers stay.
    """
    view = _empty(study, [optuna.study.StudyDirection.MAXIMIZE])
    for trial in trials_of(study):
        value = value_of(trial)
        counts = value is not None and math.isfinite(value)
        view.add_trial(
            create_trial(
                state=TrialState.COMPLETE if counts else TrialState.FAIL,
                value=value if counts else None,
                params=trial.params,
                distributions=trial.distributions,
            )
        )
    return view


def inside(view: optuna.Study) -> optuna.Study:
    """The judged trials that have parameters: not a default configuration outside the space, for one.

    Args:
        view: of `judged`.
    """
    within = _empty(view, view.directions)
    within.add_trials(
        [trial for trial in view.get_trials(deepcopy=False) if trial.params and trial.state is TrialState.COMPLETE]
    )
    return within


def bare(study: optuna.Study) -> optuna.Study:
    """The study without the attributes of its trials: figures would show them, tracebacks and all, under the mouse.

    Constraints stay, by which the Pareto front leaves out what cannot ship.
    """
    view = _empty(study, study.directions)
    for trial in trials_of(study):
        view.add_trial(_without_attributes(trial))
    return view


def _empty(study: optuna.Study, directions: list[optuna.study.StudyDirection]) -> optuna.Study:
    return optuna.create_study(study_name=study.study_name, directions=directions)


def _without_attributes(trial: FrozenTrial) -> FrozenTrial:
    stripped = copy.copy(trial)
    stripped.user_attrs, stripped.system_attrs = {}, {}
    for name, value in trial.constraints.items():
        stripped.set_constraint(name, value)
    return stripped
