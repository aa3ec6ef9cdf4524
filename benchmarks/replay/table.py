"""Every learning curve of a finite space, as a search sees them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from benchmarks.replay.world import STREAM, Floats, Params
from experiments.tuning.engine.proposals import Configuration, configuration
from narm.errors import InputError
from search_spaces.space import SearchSpace


@dataclass(frozen=True)
class CurveTable:
    """Learning curves of a space.

    A training is one of its configuration's curves, drawn at random.

    Attributes:
        space: which.
        configurations: all of its points.
        curves: the objective's best so far by epoch, float64[epochs], by configuration and seed; a curve ends where
            early stopping ended it.
    """

    space: SearchSpace
    configurations: tuple[Params, ...]
    curves: tuple[tuple[Floats, ...], ...]

    @property
    def n_seeds(self) -> int:
        """Curves of each configuration."""
        return len(self.curves[0])

    @property
    def max_epochs(self) -> int:
        """Of the longest curve."""
        return max(len(curve) for of_one in self.curves for curve in of_one)

    @cached_property
    def finals(self) -> Floats:
        """The best of each curve, float64[configurations, seeds]."""
        return np.array([[curve[-1] for curve in of_one] for of_one in self.curves])

    @cached_property
    def values(self) -> Floats:
        """What each configuration is worth: its best objective, the mean over seeds, float64[configurations]."""
        return np.asarray(self.finals.mean(axis=1))

    @cached_property
    def regrets(self) -> Floats:
        """How far below the best each configuration is, as a share of the best, float64[configurations]."""
        return np.asarray(1 - self.values / self.values.max())

    def index(self, params: Params) -> int:
        """Which configuration these parameters are."""
        return self._index[configuration(params)]

    def curve(self, params: Params, seed: int, repetition: int) -> Floats:
        """One of the configuration's curves, float64[epochs]."""
        index = self.index(params)
        drawn = np.random.default_rng([STREAM, seed, index, repetition]).integers(self.n_seeds)
        return self.curves[index][drawn]

    def regret(self, params: Params) -> float:
        """How far the configuration is below the best, as a share of the best."""
        return float(self.regrets[self.index(params)])

    def without_early_stopping(self) -> CurveTable:
        """As if each curve went on to the last epoch, without a new best: what early stopping saves is spent."""
        longest = self.max_epochs
        padded = (
            tuple(np.pad(curve, (0, longest - len(curve)), mode="edge") for curve in of_one) for of_one in self.curves
        )
        return replace(self, curves=tuple(padded))

    @cached_property
    def _index(self) -> dict[Configuration, int]:
        return {configuration(params): index for index, params in enumerate(self.configurations)}


def curve_table(rows: pd.DataFrame, space: SearchSpace, objective: str) -> CurveTable:
    """The curves of a finite space, from rows such as `benchmarks.curves` keeps.

    Args:
        rows: columns space, params (JSON), seed, epoch and the objective; a row an epoch.
        space: which of the spaces in the rows.
        objective: column to search by, larger is better.
    Raises:
        InputError: a configuration lacks a seed that others have.
    """
    rows = rows[rows["space"] == space.name].sort_values("epoch")
    curves = dict(_curve(one, objective) for _, one in rows.groupby(["params", "seed"]))
    grid = tuple(space.grid())
    seeds = sorted({seed for _, seed in curves})
    wanted = [(configuration(point), seed) for point in grid for seed in seeds]
    missing = sum(key not in curves for key in wanted) if seeds else len(grid)
    if missing:
        raise InputError(
            f"curves: {missing} of the {len(wanted) or len(grid)} curves of {space.name} are missing: "
            f"run `python -m benchmarks.curves --space {space.name}` to its end"
        )
    return CurveTable(
        space=space,
        configurations=grid,
        curves=tuple(tuple(curves[configuration(point), seed] for seed in seeds) for point in grid),
    )


def _curve(rows: pd.DataFrame, objective: str) -> tuple[tuple[Configuration, int], Floats]:
    """The curve that rows of one configuration and seed are, under these two."""
    params, seed = json.loads(rows["params"].iloc[0]), int(rows["seed"].iloc[0])
    return (configuration(params), seed), np.maximum.accumulate(rows[objective].to_numpy(float))
