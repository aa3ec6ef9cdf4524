"""A table of learning curves, as a search sees it: every configuration of a finite space, or some of a wide one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.replay.nearest import Nearest
from narm.errors import InputError
from search_spaces.space import SearchSpace

Params = Mapping[str, Any]
Identity = frozenset[tuple[str, Any]]
Floats = NDArray[np.float64]
Curves = Mapping[tuple[Identity, int], Floats]


@dataclass(frozen=True)
class CurveTable:
    """Learning curves of a space.

    Attributes:
        space: which.
        configurations: all of its points, or, where it is not finite, those that were trained.
        curves: the objective's best so far by epoch, float64[epochs], by configuration and seed; a curve ends where
            early stopping ended it.
    """

    space: SearchSpace
    configurations: tuple[Params, ...]
    curves: tuple[tuple[Floats, ...], ...]

    @property
    def is_finite(self) -> bool:
        """Whether the configurations are all that the space has."""
        return self.space.size is not None

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

    def regrets(self) -> Floats:
        """How far below the best each configuration is, as a share of the best, float64[configurations]."""
        return np.asarray(1 - self.values / self.values.max())

    def index(self, params: Params) -> int:
        """Which configuration these parameters are; in a space that is not finite, which one is nearest to them."""
        return self._index[_identity(params)] if self.is_finite else self.nearest.index(params)

    def without_early_stopping(self) -> CurveTable:
        """As if each curve went on to the last epoch, without a new best: what early stopping saves is spent."""
        longest = self.max_epochs
        padded = (
            tuple(np.pad(curve, (0, longest - len(curve)), mode="edge") for curve in of_one) for of_one in self.curves
        )
        return replace(self, curves=tuple(padded))

    @cached_property
    def nearest(self) -> Nearest:
        """The configurations by their distance."""
        return Nearest(self.space, self.configurations)

    @cached_property
    def _index(self) -> dict[Identity, int]:
        return {_identity(params): index for index, params in enumerate(self.configurations)}


def curve_table(rows: pd.DataFrame, space: SearchSpace, objective: str) -> CurveTable:
    """The curves of a space, from rows such as `benchmarks.curves` keeps.

    Args:
        rows: columns space, params (JSON), seed, epoch and the objective; a row an epoch.
        space: which of the spaces in the table.
        objective: column to search by, larger is better.
    Raises:
        InputError: a configuration of a finite space lacks a seed that others have; of another space there are no two
            configurations in the table, or they have no seed in common.
    """
    rows = rows[rows["space"] == space.name].sort_values("epoch")
    curves = dict(_curve(one, objective) for _, one in rows.groupby(["params", "seed"]))
    configurations, seeds = _recorded(space, curves) if space.size is None else _whole(space, curves)
    return CurveTable(
        space=space,
        configurations=configurations,
        curves=tuple(tuple(curves[_identity(point), seed] for seed in seeds) for point in configurations),
    )


def _whole(space: SearchSpace, curves: Curves) -> tuple[tuple[Params, ...], list[int]]:
    """Every configuration of a finite space, and the seeds that were trained."""
    grid = tuple(space.grid())
    seeds = sorted({seed for _, seed in curves})
    wanted = [(_identity(point), seed) for point in grid for seed in seeds]
    missing = sum(key not in curves for key in wanted) if seeds else len(grid)
    if missing:
        raise InputError(
            f"curves: {missing} of the {len(wanted) or len(grid)} curves of {space.name} are missing: "
            f"run `python -m benchmarks.curves --space {space.name}` to its end"
        )
    return grid, seeds


def _recorded(space: SearchSpace, curves: Curves) -> tuple[tuple[Params, ...], list[int]]:
    """The configurations in the table that the space has, as it is now, and the seeds that all of them have.

    A seed that only some have is one whose recording has not come to its end.
    """
    seeds: dict[Identity, set[int]] = {}
    for identity, seed in curves:
        if space.contains(dict(identity)):
            seeds.setdefault(identity, set()).add(seed)
    common = set.intersection(*seeds.values()) if seeds else set()
    if len(seeds) < 2 or not common:
        raise InputError(
            f"curves: {len(seeds)} configurations of {space.name} are there, with {len(common)} seeds in common, and "
            f"a search needs a choice: run `python -m benchmarks.curves --space {space.name} --points 200 --seeds 1`"
        )
    return tuple(_in_file_order(dict(identity), space) for identity in seeds), sorted(common)


def _in_file_order(params: Params, space: SearchSpace) -> Params:
    return {name: params[name] for name in space.distributions if name in params}


def _identity(params: Params) -> Identity:
    return frozenset(params.items())


def _curve(rows: pd.DataFrame, objective: str) -> tuple[tuple[Identity, int], Floats]:
    """The curve that rows of one configuration and seed are, under these two."""
    params, seed = json.loads(rows["params"].iloc[0]), int(rows["seed"].iloc[0])
    return (_identity(params), seed), np.maximum.accumulate(rows[objective].to_numpy(float))
