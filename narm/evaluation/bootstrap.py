"""How sure a mean is: bootstrap intervals over whole sessions.

Targets of one session, or of one user, are no independent observations, so sessions are drawn, each with all its
targets: the bootstrap of Efron & Tibshirani, "An Introduction to the Bootstrap", 1993 (percentile intervals: chapter
13), over clusters as in Davison & Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8. A
difference of two systems has other noise besides: `narm.evaluation.paired_difference`.

Q targets, S sessions, M metrics, L slices of the targets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
_DRAWS = 2**18  # at once: what is drawn and looked up stays in cache


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over targets, and the 95 % interval that resampled sessions give it."""

    mean: float
    low: float
    high: float


def slice_intervals(
    values: NDArray[np.float64],
    sessions: NDArray[np.int64],
    slices: Sequence[NDArray[np.int64]],
    *,
    resamples: int = 2_000,
    seed: int,
) -> list[list[Interval]]:
    """Intervals of the means of metrics over slices of the targets, by the percentiles of their resampled means.

    A resample draws as many sessions as there are, with replacement. It is as long as their targets are many, so its
    mean is a ratio of two sums. All metrics and slices share the resamples: a resample counts how often it drew each
    session, and its sums are a product of these counts with the sessions' own sums, so that a thousand intervals take
    little longer than one. A resample that drew no session of a slice says nothing of it. Memory is O(M Q), time for
    the draws O(resamples x S).

    Args:
        values: each metric of each target, [M, Q]; finite.
        sessions: which session each target belongs to, any integers, [Q].
        slices: positions of the targets of each slice, none empty.
        resamples: how often to draw, from all sessions.
        seed: seed of the draws.
    Returns:
        of each slice, an interval for each metric.
    Raises:
        ValueError: a slice without targets, not one session a target, or a value that is not finite.
    """
    _check(values, sessions, slices)
    present, session = np.unique(sessions, return_inverse=True)
    tables = [_sums_by_session(values[:, members], session[members]) for members in slices]
    means = [np.empty((resamples, len(values))) for _ in slices]
    for rows, drawn in _draws(len(present), resamples, seed):
        for (of_slice, sums), of_resamples in zip(tables, means, strict=True):
            totals = drawn[:, of_slice] @ sums  # [rows, M + 1]
            with np.errstate(invalid="ignore"):  # 0 / 0: nothing drawn
                of_resamples[rows] = totals[:, :-1] / totals[:, -1:]
    return [
        _intervals(values[:, members].mean(axis=1), of_resamples)
        for members, of_resamples in zip(slices, means, strict=True)
    ]


def _check(values: NDArray[np.float64], sessions: NDArray[np.int64], slices: Sequence[NDArray[np.int64]]) -> None:
    if not 0 < values.shape[1] == len(sessions):
        raise ValueError(
            f"{values.shape[1]} values and {len(sessions)} sessions: there should be one a target, and targets"
        )
    if not np.isfinite(values).all():
        raise ValueError("a value is infinite or NaN: there is no mean of it")
    if any(len(members) == 0 for members in slices):
        raise ValueError("a slice has no targets: there is no mean of them")


def _sums_by_session(
    values: NDArray[np.float64], session: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The sessions that have targets, [S], and the sums of their values and the number of their targets, [S, M + 1]."""
    present, place = np.unique(session, return_inverse=True)
    sums = [np.bincount(place, weights=of_metric) for of_metric in values]
    return present, np.stack([*sums, np.bincount(place).astype(np.float64)], axis=1)


def _draws(n_sessions: int, resamples: int, seed: int) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """How often each resample drew each session, [rows, S], for some resamples at a time."""
    rng = np.random.default_rng(seed)
    at_once = max(1, _DRAWS // n_sessions)
    for start in range(0, resamples, at_once):
        rows = min(at_once, resamples - start)
        drawn = rng.integers(0, n_sessions, (rows, n_sessions))
        drawn += np.arange(rows)[:, None] * n_sessions
        counts = np.bincount(drawn.ravel(), minlength=rows * n_sessions).reshape(rows, n_sessions)
        yield slice(start, start + rows), counts.astype(np.float64)


def _intervals(means: NDArray[np.float64], resampled: NDArray[np.float64]) -> list[Interval]:
    """From the means [M] and those of the resamples [resamples, M]."""
    quantiles = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
    resampled = resampled[~np.isnan(resampled).any(axis=1)]
    bounds = np.quantile(resampled, quantiles, axis=0) if len(resampled) else np.stack([means, means])
    return [Interval(*map(float, interval)) for interval in zip(means, *bounds, strict=True)]
