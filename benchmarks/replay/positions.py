"""Points of a space as numbers: what a regression, or an optimizer, takes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution

from benchmarks.replay.world import Floats
from narm.errors import InputError
from search_spaces.parameter import Parameter
from search_spaces.space import SearchSpace


@dataclass(frozen=True)
class Positions:
    """Where the points of a space are on its axes.

    A position is a number a parameter: the number of a choice, or of a step of a range that has steps; on any other
    range 0 to 1, by its logarithm where the space draws it so.

    Attributes:
        space: without conditions.
    Raises:
        InputError: a parameter does not always apply.
    """

    space: SearchSpace

    def __post_init__(self) -> None:
        for parameter in self.space.parameters:
            if parameter.when:
                raise InputError(
                    f"{self.space.file}:{parameter.line}: {parameter.name} has a condition (when), and curves are "
                    "modelled where every parameter applies: replay a space without conditions"
                )

    def of(self, points: Iterable[Mapping[str, Any]]) -> Floats:
        """The positions of points, float64[points, parameters]."""
        return np.array([[_position(axis, point[axis.name]) for axis in self.space.parameters] for point in points])

    def drawn(self, n_points: int, seed: int) -> Floats:
        """So many positions, each as likely as any other, float64[n_points, parameters]."""
        shares = np.random.default_rng(seed).random((n_points, len(self.highest)))
        return np.where(self.whole, np.floor(shares * (self.highest + 1)), shares * self.highest)

    def features(self, positions: Floats) -> Floats:
        """What a regression learns from: a range as 0 to 1, choices one column each, float64[points, columns]."""
        return np.concatenate(
            [_columns(axis, positions[:, index]) for index, axis in enumerate(self.space.parameters)], axis=1
        )

    @cached_property
    def highest(self) -> Floats:
        """The last position of each parameter, whose first is 0, float64[parameters]."""
        return np.array([1.0 if (steps := _steps(axis)) is None else steps for axis in self.space.parameters])

    @cached_property
    def whole(self) -> NDArray[np.bool_]:
        """Which parameters have whole positions only, bool[parameters]."""
        return np.array([_steps(axis) is not None for axis in self.space.parameters])


def _steps(axis: Parameter) -> int | None:
    """From the first value to the last; None on a range without steps, or with a logarithm, whose steps differ."""
    if axis.size is None or (not isinstance(axis.distribution, CategoricalDistribution) and axis.distribution.log):
        return None
    return axis.size - 1


def _position(axis: Parameter, value: Any) -> float:
    distribution = axis.distribution
    if isinstance(distribution, CategoricalDistribution):
        return float(distribution.choices.index(value))
    if _steps(axis) is not None:
        return float(round((value - distribution.low) / (distribution.step or 1)))
    scale = math.log if distribution.log else float
    low, high = scale(distribution.low), scale(distribution.high)
    return (scale(value) - low) / (high - low)


def _columns(axis: Parameter, positions: Floats) -> Floats:
    """Of one parameter, float64[points, columns]."""
    if isinstance(axis.distribution, CategoricalDistribution):
        return np.asarray(positions[:, None] == np.arange(len(axis.distribution.choices)), dtype=np.float64)
    return positions[:, None] / (_steps(axis) or 1)
