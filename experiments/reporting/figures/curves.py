"""What the trials' learning curves say: their lines, and how many trials reached which epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import optuna

from experiments.tuning.study.summary import Summary, TrialSummary
from experiments.tuning.study.trial_attributes import trials_of


@dataclass(frozen=True, slots=True)
class Curve:
    """The best objective so far of a trial, after each validated epoch."""

    number: int
    group: str
    epochs: Sequence[int]
    values: Sequence[float]


GROUPS = ("stopped early", "complete", "default", "winner")
"""Kinds of curves, those on top last."""


def learning_curves(study: optuna.Study, summary: Summary) -> list[Curve]:
    """The curve of every trial that reported, in the order of `GROUPS`."""
    by_number = {trial.number: trial for trial in summary.trials}
    curves = [
        Curve(trial.number, _group(by_number[trial.number], summary), *_points(trial))
        for trial in trials_of(study)
        if trial.intermediate_values and trial.number in by_number
    ]
    return sorted(curves, key=lambda curve: (GROUPS.index(curve.group), curve.number))


def _points(trial: optuna.trial.FrozenTrial) -> tuple[list[int], list[float]]:
    reported = sorted(trial.intermediate_values.items())
    return [epoch for epoch, _ in reported], [value for _, value in reported]


def _group(trial: TrialSummary, summary: Summary) -> str:
    if trial.number == summary.winner:
        return "winner"
    if summary.default is not None and trial.number == summary.default.number:
        return "default"
    return "complete" if trial.state == "COMPLETE" else "stopped early"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """An epoch at which the scheduler stopped trials.

    Attributes:
        epoch: the rung.
        reached: trials that trained so far.
        promoted: of these, those that trained further.
        stopped: of these, those that the scheduler stopped here.
        ended: of these, those that ended here otherwise: trained, failed or interrupted.
    """

    epoch: int
    reached: int
    promoted: int
    stopped: int
    ended: int


def rungs(trials: Sequence[TrialSummary]) -> list[Rung]:
    """The rungs of a search, as its trials show them: every epoch at which one was pruned."""
    return [_rung(epoch, trials) for epoch in sorted({trial.epochs for trial in trials if trial.state == "PRUNED"})]


def _rung(epoch: int, trials: Sequence[TrialSummary]) -> Rung:
    reached = [trial for trial in trials if trial.epochs >= epoch]
    here = [trial for trial in reached if trial.epochs == epoch]
    stopped = sum(trial.state == "PRUNED" for trial in here)
    return Rung(
        epoch=epoch,
        reached=len(reached),
        promoted=len(reached) - len(here),
        stopped=stopped,
        ended=len(here) - stopped,
    )
