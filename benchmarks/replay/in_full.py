"""Searches that train everything they try to its end, in random order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.curves import random_points
from benchmarks.replay.world import Job, Params, Report, World


@dataclass(slots=True)
class InFull:
    """RecBole's exhaustive search, and random search: they differ in when they stop, and in trials at once.

    RecBole draws the points of its grid at random without replacement, as its own `ExhaustiveSearch` over hyperopt
    does, and stops after `patience` finished trials in a row without a new best, 10 unless told.

    Attributes:
        points: what is tried, in this order.
        patience: None: all are tried.
    """

    points: Sequence[Params]
    patience: int | None = None
    _best: float = -np.inf
    _misses: int = 0
    _started: int = 0

    def next(self) -> Job | None:
        """The next configuration."""
        if self._started == len(self.points) or (self.patience is not None and self._misses >= self.patience):
            return None
        self._started += 1
        return Job(trial=self._started - 1, params=self.points[self._started - 1])

    def reported(self, trial: int, report: Report) -> bool:
        """Train on; count the finished ones that brought nothing."""
        if report.final:
            improved = report.value > self._best
            self._best = max(self._best, report.value)
            self._misses = 0 if improved else self._misses + 1
        return True


def in_random_order(world: World, seed: int, trials: int, *, patience: int | None = None) -> InFull:
    """So many of a finite space's configurations, shuffled, without repetition."""
    grid = list(world.space.grid())
    return InFull([grid[index] for index in np.random.default_rng(seed).permutation(len(grid))[:trials]], patience)


def at_random(world: World, seed: int, trials: int) -> InFull:
    """So many points of the space: what random search is where there is no grid to shuffle."""
    return InFull(random_points(world.space, trials, seed))
