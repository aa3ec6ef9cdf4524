"""Parallel coordinates: a line a trial, over an axis for the objective and one for each parameter.

Optuna's sorts the axes by name, fades the best or the worst trials into the page, and differs between its versions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from experiments.reporting.figures.ticks import linear_ticks, log_ticks
from experiments.tuning.study.summary import format_value


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One of the axes, from 0 at its foot to 1.

    Attributes:
        name: of the parameter, or of the objective.
        places: where each line crosses; None: the trial has no such parameter.
        texts: the value of each line.
        ticks: places and labels.
    """

    name: str
    places: Sequence[float | None]
    texts: Sequence[str]
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinates:
    """All lines, from the worst trial to the best, which lies on top.

    Attributes:
        numbers: of the trials.
        ranks: from 0, the worst, to 1, the best: values would leave most lines of a search in one colour.
        axes: the objective, then the parameters.
    """

    numbers: Sequence[int]
    ranks: Sequence[float]
    axes: Sequence[Axis]


def coordinates(view: optuna.Study, params: Sequence[str], objective: str) -> Coordinates:
    """Lay out the trials that have parameters: not a default configuration outside the space, for one.

    Args:
        view: of `experiments.reporting.figures.trial_views.judged`, in which two trials have parameters and a value.
        params: the axes, in this order.
        objective: what the values are.
    """
    complete = view.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))  # `inside` would number them anew
    trials = sorted(
        (trial for trial in complete if trial.params), key=lambda trial: (trial.value or 0.0, -trial.number)
    )
    values = [trial.value or 0.0 for trial in trials]
    return Coordinates(
        numbers=[trial.number for trial in trials],
        ranks=[place / (len(trials) - 1) for place in range(len(trials))],
        axes=[_numeric(objective, values, is_log=False), *(_parameter(name, trials) for name in params)],
    )


def _parameter(name: str, trials: Sequence[FrozenTrial]) -> Axis:
    values = [trial.params.get(name) for trial in trials]
    distribution = next(trial.distributions[name] for trial in trials if name in trial.distributions)
    if isinstance(distribution, CategoricalDistribution):
        return _categorical(name, values, distribution)
    return _numeric(name, values, is_log=_is_log(distribution))


def _is_log(distribution: BaseDistribution) -> bool:
    return bool(getattr(distribution, "log", False))


def _numeric(name: str, values: Sequence[float | None], *, is_log: bool) -> Axis:
    known = [value for value in values if value is not None]
    low, high = min(known), max(known)
    scale = math.log10 if is_log else float

    def place(value: float) -> float:
        return (scale(value) - scale(low)) / ((scale(high) - scale(low)) or 1.0)

    ticks = log_ticks(low, high) if is_log else linear_ticks(low, high)
    return Axis(
        name=name,
        places=[None if value is None else place(value) for value in values],
        texts=[format_value(value) for value in values],
        ticks=[(place(tick), f"{tick:g}") for tick in ticks],
    )


def _categorical(name: str, values: Sequence[Any], distribution: CategoricalDistribution) -> Axis:
    """The choices in the order of the space, those that were taken."""
    choices = [choice for choice in distribution.choices if choice in values]
    step = 1 / max(len(choices) - 1, 1)
    return Axis(
        name=name,
        places=[choices.index(value) * step if value in choices else None for value in values],
        texts=[format_value(value) for value in values],
        ticks=[(index * step, format_value(choice)) for index, choice in enumerate(choices)],
    )
