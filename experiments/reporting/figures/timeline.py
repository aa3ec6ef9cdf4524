"""When each worker trained which trial; for a study without a log of its jobs, when each trial ran."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import optuna

from experiments.tuning.study.job_log import JobTimes, workers
from experiments.tuning.study.summary import STATE_WORDS, Summary
from experiments.tuning.study.trial_attributes import trials_of

STATES = (*STATE_WORDS.values(), "running")
"""Words for what became of a trial, as a legend has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A bar of the timeline.

    Attributes:
        row: its row: a worker, or a trial.
        state: one of `STATES`.
        start: local time, as in the study.
        end: not before it.
        what: text under the mouse.
    """

    row: str
    state: str
    start: datetime
    end: datetime
    what: str


def stretches(study: optuna.Study, summary: Summary, jobs: Sequence[JobTimes]) -> list[Stretch]:
    """A bar a job, or a bar a trial (pauses included) where there are no jobs.

    Args:
        study: has the times of the trials.
        summary: has their states.
        jobs: jobs of its trials, in the order of their start; empty: the study has no log of them.
    """
    state = {trial.number: STATE_WORDS[trial.state] for trial in summary.trials}
    return _of_jobs(jobs, state) if jobs else _of_trials(study, state)


def _of_jobs(jobs: Sequence[JobTimes], state: dict[int, str]) -> list[Stretch]:
    return [
        Stretch(
            row=f"worker {worker + 1}",
            state=state.get(job.number, "running"),
            start=datetime.fromtimestamp(job.start),
            end=datetime.fromtimestamp(job.end),
            what=f"trial {job.number}, {_epochs(job.epochs)}",
        )
        for job, worker in zip(jobs, workers(jobs), strict=True)
    ]


def _epochs(epochs: Sequence[int]) -> str:
    if not epochs:
        return "no epoch"
    return f"epoch {epochs[0]}" if len(epochs) == 1 else f"epochs {epochs[0]}–{epochs[-1]}"


def _of_trials(study: optuna.Study, state: dict[int, str]) -> list[Stretch]:
    """A bar for each trial that has begun; one that has not ended lasts until the last event of the study."""
    begun = [trial for trial in trials_of(study) if trial.datetime_start is not None]
    times = [time for trial in begun for time in (trial.datetime_start, trial.datetime_complete) if time]
    return [
        Stretch(
            row=f"trial {trial.number}",
            state=state.get(trial.number, "running"),
            start=trial.datetime_start,
            end=trial.datetime_complete or max(times),
            what=f"trial {trial.number}",
        )
        for trial in begun
        if trial.datetime_start is not None
    ]


def rows(found: Sequence[Stretch]) -> list[str]:
    """The rows of a timeline: workers by number, trials by number."""
    return sorted({stretch.row for stretch in found}, key=lambda row: int(row.split()[1]))


def by_state(found: Sequence[Stretch]) -> dict[str, list[Stretch]]:
    """The bars of each colour, in the order of `STATES`."""
    ordered = sorted(found, key=lambda stretch: STATES.index(stretch.state))
    return {state: list(bars) for state, bars in groupby(ordered, key=lambda stretch: stretch.state)}
