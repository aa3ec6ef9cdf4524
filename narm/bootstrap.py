"""How sure a mean is, and a difference of two: bootstrap intervals over whole sessions.

Targets of one session, or of one user, are no independent observations, so sessions are drawn, each with all its
targets: the bootstrap of Efron & Tibshirani, "An Introduction to the Bootstrap", 1993 (percentile intervals: chapter
13), over clusters as in Davison & Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8. Sakai,
"Evaluating evaluation metrics based on the bootstrap", SIGIR 2006, compares two rankers so, paired.

Q targets, S sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

QUANTILES = (0.025, 0.975)  # of a 95 % interval
_DRAWS = 2**18  # at once: what is drawn and looked up stays in cache


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over targets, and the 95 % interval that resampled sessions give it."""

    mean: float
    low: float
    high: float


def mean_interval(
    values: NDArray[np.float64], sessions: NDArray[np.int64], *, resamples: int = 2_000, seed: int
) -> Interval:
    """Interval of the mean over targets of a metric, by the percentiles of its resampled means.

    A resample draws as many sessions as there are, with replacement. It is as long as their targets are many, so its
    mean is a ratio of two sums. Time is O(resamples x S), memory O(Q + S).

    Args:
        values: of each target, [Q]; finite.
        sessions: which session each target belongs to, any integers, [Q].
        resamples: how often to draw.
        seed: of the draws; the same seed gives the same interval.
    Raises:
        ValueError: no targets, not one session each, or a value that is not finite.
    """
    if not 0 < len(values) == len(sessions):
        raise ValueError(
            f"{len(values)} values and {len(sessions)} sessions: there should be one a target, and targets"
        )
    if not np.isfinite(values).all():
        raise ValueError("a value is infinite or NaN: there is no mean of it")
    _, session = np.unique(sessions, return_inverse=True)
    totals = np.bincount(session, weights=values)  # [S]
    counts = np.bincount(session)  # [S]
    low, high = np.quantile(_resampled_means(totals, counts, resamples, seed), QUANTILES)
    return Interval(float(values.mean()), float(low), float(high))


def difference_interval(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    sessions: NDArray[np.int64],
    *,
    resamples: int = 2_000,
    seed: int,
) -> Interval:
    """Interval of the mean difference `first - second` of two systems on the same targets, paired.

    What is hard for both cancels, so that it is far narrower than the two intervals suggest. An interval without
    zero in it is evidence of a difference.

    Args:
        first: a metric of one system for each target, [Q].
        second: the same of the other, [Q].
        sessions: as of `mean_interval`, like all that follows.
        resamples: how often to draw.
        seed: of the draws.
    Raises:
        ValueError: as `mean_interval`, or the two have not the same targets.
    """
    if first.shape != second.shape:
        raise ValueError(f"{first.shape} and {second.shape}: a pair needs the same targets")
    return mean_interval(first - second, sessions, resamples=resamples, seed=seed)


def _resampled_means(totals: NDArray[Any], counts: NDArray[Any], resamples: int, seed: int) -> NDArray[np.float64]:
    """Mean of each resample, [resamples], from the sum and the number of each session's targets, [S]."""
    rng = np.random.default_rng(seed)
    n_sessions = len(totals)
    means = np.empty(resamples)
    rows = max(1, _DRAWS // n_sessions)
    for start in range(0, resamples, rows):
        chunk = means[start : start + rows]
        drawn = rng.integers(0, n_sessions, (len(chunk), n_sessions))
        chunk[:] = totals[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    return means
