"""Which finalist to ship, and whether it is really better: judged from their runs.

Validation chooses, and test only reports: the winner has the best mean objective on validation over the seeds, so that
its test metrics are no best of several, and an interval of theirs means what it says. Whether the winner or the default
configuration is to be shipped follows from that interval (`Finals.recommended`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

from experiments.tuning.study.summary import (
    Comparison,
    Estimate,
    FinalistFailure,
    FinalistSummary,
    Finals,
    LengthSummary,
    Spread,
)
from experiments.tuning.worker.reports import FinalistRun
from narm.data.sessions import Examples
from narm.evaluation.bootstrap import Interval, difference_interval, slice_intervals
from narm.evaluation.slices import MIN_SESSIONS, session_length_slices
from narm.metrics import METRICS, Values, key_of, parse_metric

Runs = Sequence[FinalistRun]


def judge_finalists(
    runs: Runs, failures: Sequence[FinalistFailure], *, test: Examples, objective: str, seed: int
) -> Finals | None:
    """Rank the finalists, and compare the winner with the default configuration and with the runner-up.

    A finalist whose training failed with a seed comes after those that never failed: what is left of it looks better
    than it is.

    Args:
        runs: runs of the finalists.
        failures: runs that were given up.
        test: the examples whose ranks the runs have.
        objective: spelled `MRR@10`; Recall is compared at the same cutoff.
        seed: seed of the bootstrap.
    Returns:
        None if no run succeeded.
    """
    if not runs:
        return None
    ranked = _ranked(runs, key_of(objective))
    winner, *others = ranked
    rivals = [rival for rival in others if rival is others[0] or rival[0].finalist.is_default]
    rivals.sort(key=lambda rival: not rival[0].finalist.is_default)
    sessions = test.session_of_target
    return Finals(
        winner=winner[0].finalist.number,
        n_targets=len(test),
        n_sessions=len(np.unique(sessions)),
        finalists=[_summary(of_one) for of_one in ranked],
        comparisons=[
            compare_runs(winner, rival, metric=metric, sessions=sessions, seed=seed)
            for rival in rivals
            for metric in compared_metrics(objective)
        ],
        failures=failures,
        by_length=_by_length(
            winner,
            next((rival for rival in others if rival[0].finalist.is_default), None),
            test=test,
            metric=objective,
            seed=seed,
        ),
    )


def _by_length(winner: Runs, default: Runs | None, *, test: Examples, metric: str, seed: int) -> list[LengthSummary]:
    """The winner and the default configuration by session length, from the same resamples."""
    sessions = test.session_of_target
    slices = session_length_slices(test)
    found = slice_intervals(
        np.stack([mean_values(runs, metric) for runs in (winner, default) if runs is not None]),
        sessions,
        [members for _, members in slices],
        seed=seed,
    )
    return [
        _length_summary(name, sessions[members], intervals)
        for (name, members), intervals in zip(slices, found, strict=True)
    ]


def _length_summary(name: str, sessions: NDArray[np.int64], intervals: Sequence[Interval]) -> LengthSummary:
    """A class of lengths, given the session of each of its targets; the winner's interval is the first."""
    n_sessions = len(np.unique(sessions))
    winner, *default = [
        Estimate(mean=each.mean, interval=(each.low, each.high) if n_sessions >= MIN_SESSIONS else None)
        for each in intervals
    ]
    return LengthSummary(
        name=name,
        n_targets=len(sessions),
        n_sessions=n_sessions,
        winner=winner,
        default=default[0] if default else None,
    )


def compared_metrics(objective: str) -> list[str]:
    """The objective, and Recall at the same cutoff, spelled `MRR@10`."""
    name, cutoff = parse_metric(objective)
    return [objective] if name in ("Recall", "Hit") else [objective, f"Recall@{cutoff}"]


def _ranked(runs: Runs, objective: str) -> list[Runs]:
    """The runs of each finalist, from the winner down."""
    by_number: dict[int, list[FinalistRun]] = defaultdict(list)
    for run in runs:
        by_number[run.finalist.number].append(run)

    def rank(number: int) -> tuple[int, float, int]:
        of_one = by_number[number]
        return -len(of_one), -fmean(run.valid[objective] for run in of_one), number

    return [sorted(by_number[number], key=lambda run: run.seed) for number in sorted(by_number, key=rank)]


def _summary(runs: Runs) -> FinalistSummary:
    return FinalistSummary(
        number=runs[0].finalist.number,
        is_default=runs[0].finalist.is_default,
        params=runs[0].finalist.options,
        seeds=[run.seed for run in runs],
        epochs=[run.epochs for run in runs],
        valid=_spreads([run.valid for run in runs]),
        test=_spreads([run.test for run in runs]),
    )


def _spreads(metrics: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    return {key: spread([of_one[key] for of_one in metrics]) for key in metrics[0]}


def spread(values: Sequence[float]) -> Spread:
    """Mean and standard deviation over seeds."""
    return Spread(mean=fmean(values), sd=stdev(values) if len(values) > 1 else None)


def compare_runs(first: Runs, second: Runs, *, metric: str, sessions: NDArray[np.int64], seed: int) -> Comparison:
    """One finalist less another on test, over the means of their seeds.

    Args:
        first: runs of one finalist.
        second: runs of the other, with the ranks of the same targets.
        metric: spelled `MRR@10`.
        sessions: which session each target belongs to, [Q].
        seed: seed of the bootstrap.
    """
    interval = difference_interval(mean_values(first, metric), mean_values(second, metric), sessions, seed=seed)
    return Comparison(
        metric=metric,
        against=second[0].finalist.number,
        difference=interval.mean,
        low=interval.low,
        high=interval.high,
    )


def mean_values(runs: Runs, metric: str) -> Values:
    """A metric, spelled `MRR@10`, of each target, averaged over the seeds, [Q]."""
    name, cutoff = parse_metric(metric)
    total = np.zeros(len(runs[0].ranks))
    for run in runs:
        total += METRICS[name](run.ranks, cutoff)
    return total / len(runs)
