"""Which finalist to ship, and how sure it is that it is better: judged from their runs.

Validation chooses, and test only reports: what has the best objective on validation is shipped, the default
configuration only if it is that. (The race estimates it, from a finalist's runs and its trial.) So the winner's test
metrics are no best of several, and an interval of theirs means what it says. A rule that ships the default unless an
interval on test forbids it throws most of what a search gains away, and lets test choose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

from experiments.tuning.engine.finalists import racers
from experiments.tuning.engine.leads import Runs, Trained, leads, mean_values
from experiments.tuning.engine.racing import Racer, standings
from experiments.tuning.study.summary import (
    VALIDATION,
    Comparison,
    Estimate,
    FinalistFailure,
    FinalistSummary,
    Finals,
    LengthSummary,
    Spread,
)
from experiments.tuning.worker.jobs import Finalist
from experiments.tuning.worker.reports import FinalistRun
from narm.data.sessions import Examples
from narm.evaluation.bootstrap import Interval, slice_intervals
from narm.evaluation.paired_difference import Difference, simultaneous
from narm.evaluation.slices import MIN_SESSIONS, session_length_slices
from narm.metrics import key_of, parse_metric


def judge_finalists(
    runs: Runs,
    failures: Sequence[FinalistFailure],
    *,
    test: Examples,
    objective: str,
    seed: int,
    depends_on_seed: bool = True,
    trials: Mapping[int, float] | None = None,
) -> Finals | None:
    """Rank the finalists, and compare the winner with the default configuration and with the runner-up.

    A finalist whose training failed with a seed comes after those that never failed: what is left of it looks better
    than it is. To have fewer runs is no failure: the race gives more of them to what may win.

    Args:
        runs: runs of the finalists.
        failures: runs that were given up.
        test: the examples whose ranks the runs have.
        objective: spelled `MRR@10`; Recall is compared at the same cutoff.
        seed: seed of the bootstrap.
        depends_on_seed: whether another seed would give another model.
        trials: values of the finalists' trials that count on validation, by number.
    Returns:
        None if no run of a finalist that may ship succeeded.
    """
    if not any(run.finalist.may_ship for run in runs):
        return None
    finalists = list({run.finalist.number: run.finalist for run in runs}.values())
    judged = racers(finalists, runs, failures, key_of(objective), trials or {})
    estimates = {number: standing.mean for number, standing in standings(judged).items()}
    ranked = [Trained(of_one, depends_on_seed) for of_one in _ranked(runs, judged, estimates)]
    sessions = test.session_of_target
    found = {metric: leads(ranked, metric, sessions) for metric in compared_metrics(objective)}
    return Finals(
        winner=_finalist(ranked[0]).number,
        n_targets=len(test),
        n_sessions=len(np.unique(sessions)),
        finalists=[_summary(each.runs, estimates[_finalist(each).number]) for each in ranked],
        comparisons=[
            Comparison.of(of_metric[place - 1], metric=metric, against=_finalist(ranked[place]).number)
            for place in _rivals(ranked)
            for metric, of_metric in found.items()
        ],
        failures=failures,
        by_length=_by_length(ranked, test=test, metric=objective, seed=seed),
        decided_by=VALIDATION,
    )


def _finalist(trained: Trained) -> Finalist:
    return trained.runs[0].finalist


def _default_place(ranked: Sequence[Trained]) -> int | None:
    """Where the default configuration is, unless it is the winner or has no result."""
    return next((place for place, each in enumerate(ranked) if place and _finalist(each).is_default), None)


def _rivals(ranked: Sequence[Trained]) -> list[int]:
    """Places of what the winner is compared with: the default configuration, then the runner-up."""
    default, runner_up = _default_place(ranked), [1] if len(ranked) > 1 else []
    return runner_up if default is None else [default, *(place for place in runner_up if place != default)]


def _by_length(ranked: Sequence[Trained], *, test: Examples, metric: str, seed: int) -> list[LengthSummary]:
    """The winner and the default configuration by session length, and the leads of the winner, which hold together."""
    sessions, default = test.session_of_target, _default_place(ranked)
    slices = session_length_slices(test)
    sizes = [len(np.unique(sessions[members])) for _, members in slices]
    shown = [0] if default is None else [0, default]
    means = np.stack([mean_values(ranked[place].runs, metric) for place in shown])
    found = slice_intervals(means, sessions, [members for _, members in slices], seed=seed)
    confidence = simultaneous(sum(size >= MIN_SESSIONS for size in sizes))

    def lead(members: NDArray[np.int64]) -> Difference | None:
        if default is None:
            return None
        return leads(ranked, metric, sessions, members, confidence=confidence)[default - 1]

    return [
        _length_summary(name, len(members), size, intervals, lead(members))
        for (name, members), size, intervals in zip(slices, sizes, found, strict=True)
    ]


def _length_summary(
    name: str, n_targets: int, n_sessions: int, intervals: Sequence[Interval], lead: Difference | None
) -> LengthSummary:
    """A class of lengths; the winner's interval is the first, that of the default configuration may follow."""
    is_trusted = n_sessions >= MIN_SESSIONS
    winner, *default = [_estimate(each, is_trusted=is_trusted) for each in intervals]
    return LengthSummary(
        name=name,
        n_targets=n_targets,
        n_sessions=n_sessions,
        winner=winner,
        default=default[0] if default else None,
        lead=None if lead is None else _estimate(lead, is_trusted=is_trusted),
    )


def _estimate(found: Interval | Difference, *, is_trusted: bool) -> Estimate:
    return Estimate(mean=found.mean, interval=(found.low, found.high) if is_trusted else None)


def compared_metrics(objective: str) -> list[str]:
    """The objective, and Recall at the same cutoff, spelled `MRR@10`."""
    name, cutoff = parse_metric(objective)
    return [objective] if name in ("Recall", "Hit") else [objective, f"Recall@{cutoff}"]


def _ranked(runs: Runs, judged: Sequence[Racer], estimates: Mapping[int, float]) -> list[Runs]:
    """The runs of each finalist, from the winner down."""
    by_number: dict[int, list[FinalistRun]] = defaultdict(list)
    for run in runs:
        by_number[run.finalist.number].append(run)

    def rank(racer: Racer) -> tuple[object, ...]:
        return not racer.may_win, racer.failed, -estimates[racer.number], racer.number

    return [sorted(by_number[racer.number], key=lambda run: run.seed) for racer in sorted(judged, key=rank)]


def _summary(runs: Runs, estimate: float) -> FinalistSummary:
    return FinalistSummary(
        number=runs[0].finalist.number,
        is_default=runs[0].finalist.is_default,
        params=runs[0].finalist.options,
        seeds=[run.seed for run in runs],
        epochs=[run.epochs for run in runs],
        valid=_spreads([run.valid for run in runs]),
        test=_spreads([run.test for run in runs]),
        estimate=estimate,
    )


def _spreads(metrics: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    return {key: spread([of_one[key] for of_one in metrics]) for key in metrics[0]}


def spread(values: Sequence[float]) -> Spread:
    """Mean and standard deviation over seeds."""
    return Spread(mean=fmean(values), sd=stdev(values) if len(values) > 1 else None)
