"""The nearest of the points of a space that were trained: what a search is shown where not every point can be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution

from search_spaces.parameter import Distribution
from search_spaces.space import SearchSpace

NOT_THERE = -1.0  # of a parameter that does not apply: as far from every value as two choices are from each other


@dataclass(frozen=True)
class Nearest:
    """Points of a space, found by their distance from another.

    Distance is Euclidean in the unit cube: a range is scaled to 0..1, by its logarithm where the space draws it so,
    and two choices are 1 apart, whatever they are. No parameter counts more than another, since which ones do is what
    a search has to find out.

    Attributes:
        space: of the points.
        points: at least one.
    """

    space: SearchSpace
    points: Sequence[Mapping[str, Any]]

    def index(self, params: Mapping[str, Any]) -> int:
        """Which point is nearest to these parameters; of equals the earlier."""
        return int(self._distances(self._coordinates_of(params)).argmin())

    def neighbours(self) -> NDArray[np.int64]:
        """Which other point is nearest to each, int64[points]; there are at least two."""
        distances = np.array([self._distances(point) for point in self._coordinates])
        np.fill_diagonal(distances, np.inf)
        return np.asarray(distances.argmin(axis=1))

    @cached_property
    def _coordinates(self) -> NDArray[np.float64]:
        """Of every point, float64[points, parameters]."""
        return np.array([self._coordinates_of(point) for point in self.points])

    def _coordinates_of(self, params: Mapping[str, Any]) -> NDArray[np.float64]:
        return np.array(
            [
                _coordinate(distribution, params[name]) if name in params else NOT_THERE
                for name, distribution in self.space.distributions.items()
            ]
        )

    def _distances(self, coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Squared, of each point from these coordinates, float64[points]."""
        apart = np.minimum(np.abs(self._coordinates - coordinates), 1)  # choices are numbered: any two are 1 apart
        return np.asarray((apart**2).sum(axis=1))


def _coordinate(distribution: Distribution, value: Any) -> float:
    """Where a value is on its axis: in 0..1 on a range, the number of a choice."""
    if isinstance(distribution, CategoricalDistribution):
        return float(distribution.choices.index(value))
    if distribution.low == distribution.high:
        return 0.0
    scale = math.log if distribution.log else float
    low, high = scale(distribution.low), scale(distribution.high)
    return (scale(value) - low) / (high - low)
