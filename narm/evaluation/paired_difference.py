"""How sure it is that one configuration is better than another: over other sessions, and over other seeds.

Training with another seed gives another model, whose mean on test is another one. An interval that resamples sessions
alone does not know that, and the more test sessions there are, the more often it calls two trainings of one and the
same configuration different. So the variance of a difference of means over seeds has two parts:

- over seeds: the variance of a configuration's mean on test, pooled over configurations, as in a one-way analysis of
  variance, for few seeds of one configuration say next to nothing. It holds what sessions do to single seeds, too.
- over sessions: the variance of the difference as sessions are drawn, less the share that stems from single seeds.

The degrees of freedom of their sum are Satterthwaite's, "An approximate distribution of estimates of variance
components", Biometrics Bulletin 1946. The variance over sessions is that of the bootstrap in its linear approximation,
the infinitesimal jackknife (Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 21): a sum over
sessions, the same in every call. All targets of a session count as one observation. Sakai, "Evaluating evaluation
metrics based on the bootstrap", SIGIR 2006, compares two rankings in pairs, as is done here.

Q targets, N sessions, R training runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from narm.evaluation.bootstrap import CONFIDENCE

Seeds = Literal["held", "left out", "none"]
"""Whether an interval holds the chance of the seeds: it does; it does not, there being one seed each; there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The difference of two means on test, its interval, and what the interval says of the seeds."""

    mean: float
    low: float
    high: float
    seeds: Seeds


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration, as its runs.

    Attributes:
        runs: rows of `RunMoments`, one for each seed.
        depends_on_seed: whether another seed would give another model.
    """

    runs: Sequence[int]
    depends_on_seed: bool = True


@dataclass(frozen=True, slots=True)
class RunMoments:
    """What is known of a metric of the runs: everything else follows from it.

    Attributes:
        means: mean over the test targets, [R].
        covariance: covariance of these means as sessions are drawn, [R, R]; infinite for a single session.
        n_sessions: sessions that have targets.
    """

    means: NDArray[np.float64]
    covariance: NDArray[np.float64]
    n_sessions: int


@dataclass(frozen=True, slots=True)
class SeedNoise:
    """What seeds do to a configuration's mean on test, one seed each.

    Attributes:
        variance: of the mean over seeds, on the same sessions.
        of_sessions: the part of it that other sessions would change.
        freedom: degrees of freedom of the estimate.
    """

    variance: float
    of_sessions: float
    freedom: int


def run_moments(values: NDArray[np.float64], sessions: NDArray[np.int64]) -> RunMoments:
    """Means of a metric, and how they vary together over sessions; time O(R Q + R^2 N).

    The mean over targets is a ratio of two sums over sessions, that of the values and that of the targets.

    Args:
        values: the metric of each target with each run, [R, Q]; finite.
        sessions: which session each target belongs to, any integers, [Q].
    Raises:
        ValueError: no targets, not one session each, or a value that is not finite.
    """
    if not 0 < values.shape[1] == len(sessions):
        raise ValueError(f"{values.shape[1]} values and {len(sessions)} sessions: each target should have one of both")
    if not np.isfinite(values).all():
        raise ValueError("a value is infinite or NaN: there is no mean of it")
    present, session = np.unique(sessions, return_inverse=True)
    n = len(present)
    means = values.mean(axis=1)
    influence = np.stack([np.bincount(session, weights=of_run - mean, minlength=n)
                          for of_run, mean in zip(values, means, strict=True)]) / len(sessions)  # [R, N]  # fmt: skip
    covariance = influence @ influence.T * (n / (n - 1)) if n > 1 else np.full((len(values), len(values)), np.inf)
    return RunMoments(means, covariance, n)


def seed_noise(moments: RunMoments, configurations: Sequence[Configuration]) -> SeedNoise | None:
    """The noise of seeds, pooled over configurations; None where none was trained with two of them."""
    repeated = [np.array(each.runs) for each in configurations if each.depends_on_seed and len(each.runs) > 1]
    freedom = sum(len(runs) - 1 for runs in repeated)
    if not freedom or moments.n_sessions < 2:
        return None
    squares = sum(float(np.square(moments.means[runs] - moments.means[runs].mean()).sum()) for runs in repeated)
    of_sessions = 0.0
    for runs in repeated:
        among = moments.covariance[np.ix_(runs, runs)]
        of_sessions += float(among.trace() - among.mean(axis=1).sum())  # squares around the mean over seeds
    return SeedNoise(squares / freedom, of_sessions / freedom, freedom)


def difference(
    moments: RunMoments,
    first: Configuration,
    second: Configuration,
    noise: SeedNoise | None,
    *,
    confidence: float = CONFIDENCE,
) -> Difference:
    """The mean of the first over its seeds less that of the second, with an interval.

    With one seed each, nothing is known of other seeds: the interval is about these two models.

    Args:
        moments: those of the runs.
        first: one configuration.
        second: the other one.
        noise: that of the seeds, from `seed_noise`.
        confidence: confidence level of the interval.
    """
    weights = np.zeros(len(moments.means))
    weights[list(first.runs)] += 1 / len(first.runs)
    weights[list(second.runs)] -= 1 / len(second.runs)
    mean = float(weights @ moments.means)
    per_seed = sum(1 / len(each.runs) for each in (first, second) if each.depends_on_seed)
    seeds: Seeds = "none" if not per_seed else "left out" if noise is None else "held"
    if moments.n_sessions < 2:  # nothing is known of other sessions, but that metrics lie in [0, 1]
        return Difference(mean=mean, low=-1.0, high=1.0, seeds=seeds)
    drawn = max(0.0, float(weights @ moments.covariance @ weights))
    if noise is None or not per_seed:
        variance, freedom = drawn, moments.n_sessions - 1.0
    else:
        variance, freedom = _both(drawn, noise, per_seed, moments.n_sessions)
    margin = float(stdtrit(freedom, (1 + confidence) / 2)) * math.sqrt(variance)
    return Difference(mean=mean, low=mean - margin, high=mean + margin, seeds=seeds)


def simultaneous(comparisons: int, confidence: float = CONFIDENCE) -> float:
    """The confidence level of each of several intervals that are to hold together (Bonferroni)."""
    return 1 - (1 - confidence) / max(comparisons, 1)


def _both(drawn: float, noise: SeedNoise, per_seed: float, n_sessions: int) -> tuple[float, float]:
    """Variance of a difference over sessions and seeds, and its degrees of freedom.

    Args:
        drawn: variance as sessions are drawn.
        noise: noise of the seeds.
        per_seed: 1 / seeds, summed over the configurations that depend on it.
        n_sessions: sessions.
    """
    of_seeds = per_seed * noise.variance
    of_sessions = max(0.0, drawn - per_seed * noise.of_sessions)  # the rest is in the noise of the seeds
    both = of_seeds + of_sessions
    if not both:
        return drawn, n_sessions - 1.0
    freedom = both**2 / (of_seeds**2 / noise.freedom + of_sessions**2 / (n_sessions - 1))
    return max(drawn, both), freedom
