"""Worlds that the recorded curves may have come from: what configurations are truly worth is drawn, again and again.

What a configuration is worth is known from a few seeds at best. Whoever takes their mean for the truth lets the seeds
that define it choose as well; so worth is drawn from its distribution given the curves, and every training has a seed
of its own. On a finite space that distribution is normal, drawn towards the mean of all configurations as far as seeds
explain the differences (empirical Bayes). In a wide one it is the Gaussian process of the curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.replay.curve_model import CurveModel
from benchmarks.replay.table import CurveTable
from benchmarks.replay.world import Floats

POINTS = 1500
TRUSTED = 0.5
"""What comes to less than this share of the best is no finalist, and is noisier than these: its seeds are left out."""


@dataclass(frozen=True)
class Worlds:
    """Configurations, and what they come to in every world.

    A training is the mean curve of its configuration with the deviations of some recorded training from the mean over
    its seeds, as in `CurveModel`, by a factor that makes the mean over trainings what the configuration is worth here.

    Attributes:
        worth: of each configuration, float64[worlds, configurations].
        trainings: what each may come to, as a share of what it is worth, float64[configurations, trainings, epochs].
    """

    worth: Floats
    trainings: Floats

    @classmethod
    def of(cls, worth: Floats, mean_curves: Floats, trusted: Sequence[Floats]) -> Worlds:
        """Worlds whose trainings deviate from the mean curves as the trusted ones do from their own.

        Args:
            worth: of each configuration, float64[worlds, configurations].
            mean_curves: of each, float64[configurations, epochs].
            trusted: recorded curves by configuration, each float64[seeds, epochs].
        """
        deviations = np.concatenate([_deviations(curves) for curves in trusted])
        curves = np.maximum.accumulate(mean_curves[:, None] * (1 + deviations), axis=2)
        return cls(worth, curves / curves[:, :, -1:].mean(axis=1, keepdims=True))

    @property
    def max_epochs(self) -> int:
        """Of a training."""
        return int(self.trainings.shape[2])

    @property
    def noise(self) -> float:
        """The standard deviation over seeds, as a share."""
        return float(self.trainings[:, :, -1].std(axis=1).mean())

    def drawn(self, configurations: NDArray[np.int64], rng: np.random.Generator) -> Floats:
        """A training of each configuration, in its world.

        Args:
            configurations: which, int64[worlds, any].
            rng: draws the trainings.
        Returns:
            what they come to, float64[worlds, any, epochs].
        """
        training = rng.integers(self.trainings.shape[1], size=configurations.shape)
        worth = np.take_along_axis(self.worth, configurations, axis=1)
        return np.asarray(worth[..., None] * self.trainings[configurations, training])


def grid_worlds(table: CurveTable, n_worlds: int, seed: int) -> Worlds:
    """Worlds of a finite space, whose configurations all have curves of several seeds."""
    curves = np.array(table.without_early_stopping().curves)
    finals, n_seeds = curves[:, :, -1], curves.shape[1]
    means = finals.mean(axis=1)
    of_mean = finals.var(axis=1, ddof=1).mean() / n_seeds
    share = 1 - of_mean / means.var(ddof=1)  # of the differences between means, what seeds do not explain
    expected = means.mean() + share * (means - means.mean())
    drawn = np.random.default_rng(seed).standard_normal((n_worlds, len(means)))
    trusted = means >= TRUSTED * means.max()
    worth = expected + np.sqrt(share * of_mean) * drawn
    return Worlds.of(worth, curves.mean(axis=1), list(curves[trusted]))


def wide_worlds(model: CurveModel, n_worlds: int, seed: int) -> Worlds:
    """Worlds of a space that has no end, at points of it that are drawn at random."""
    means, covariance = model.posterior(POINTS, seed=seed)
    sizes, axes = np.linalg.eigh(covariance)
    drawn = np.random.default_rng(seed).standard_normal((n_worlds, POINTS))
    trainings = model.trainings
    of_points = [trainings.curves[trainings.points == point] for point in np.unique(trainings.points)]
    trusted = [curves for curves in of_points if len(curves) > 1 and curves[:, -1].mean() >= TRUSTED * model.best]
    return Worlds.of(means[:, -1] + drawn @ (axes * np.sqrt(np.maximum(sizes, 0))).T, means, trusted)


def _deviations(curves: Floats) -> Floats:
    """Of a configuration's trainings from their mean, float64[seeds, epochs]; larger, since the mean is theirs."""
    return np.asarray((curves / curves.mean(axis=0) - 1) * (len(curves) / (len(curves) - 1)) ** 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """The trials of a search of every world, from the best down.

    Attributes:
        configurations: that were tried, int64[worlds, trials].
        values: what they came to, float64[worlds, trials].
        is_complete: whether they were trained to their end, bool[worlds, trials].
        regrets: how far each is below the best that the search tried, as a share of it, float64[worlds, trials].
    """

    configurations: NDArray[np.int64]
    values: Floats
    is_complete: NDArray[np.bool_]
    regrets: Floats


def halved(worlds: Worlds, *, trials: int, rungs: tuple[int, ...], reduction: int, survivors: int, seed: int) -> Ranked:
    """Search every world by successive halving, among configurations drawn at random.

    Args:
        worlds: to search.
        trials: configurations that are tried, none of them twice.
        rungs: epochs after which one of `reduction` goes on, but `survivors` at least.
        reduction: trials that share a place on the next rung.
        survivors: that go on in any case.
        seed: of the draws.
    """
    rng = np.random.default_rng([seed, 1])
    n_worlds, n_configurations = worlds.worth.shape
    tried = rng.permuted(np.tile(np.arange(n_configurations), (n_worlds, 1)), axis=1)[:, :trials]
    curves = worlds.drawn(tried, rng)
    values = curves[..., rungs[0] - 1]
    goes_on = np.ones(tried.shape, dtype=bool)
    places = trials
    for epoch in (*rungs[1:], worlds.max_epochs):
        places = max(survivors, places // reduction)
        best = np.argsort(-np.where(goes_on, values, -np.inf), axis=1)[:, :places]
        goes_on = np.zeros(tried.shape, dtype=bool)
        np.put_along_axis(goes_on, best, True, axis=1)
        values = np.where(goes_on, curves[..., epoch - 1], values)
    order = np.argsort(-values, axis=1)
    tried, values, complete = (np.take_along_axis(each, order, axis=1) for each in (tried, values, goes_on))
    worth = np.take_along_axis(worlds.worth, tried, axis=1)
    return Ranked(
        configurations=tried,
        values=values,
        is_complete=complete,
        regrets=1 - worth / worth.max(axis=1, keepdims=True),
    )
