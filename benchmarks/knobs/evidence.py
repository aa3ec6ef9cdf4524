"""How sure a difference to the base is, over seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, variance

from scipy.stats import t as students

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The standard deviation of a run over seeds.

    Attributes:
        deviation: pooled over configurations.
        freedom: degrees of freedom of this estimate.
    """

    deviation: float
    freedom: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Of a candidate to the base, in percent of the base's mean, with its interval of 95 %."""

    percent: float
    low: float
    high: float

    @property
    def gains(self) -> bool:
        """Beyond noise."""
        return self.low > 0

    @property
    def harms(self) -> bool:
        """Beyond noise."""
        return self.high < 0


def pooled_spread(groups: Iterable[Sequence[float]]) -> Spread | None:
    """The common standard deviation of groups of seeds, as in a one-way analysis of variance.

    A variance of two or three seeds says next to nothing; that of all configurations of a data set together does.

    Returns:
        None where no group has two seeds.
    """
    repeated = [group for group in groups if len(group) > 1]
    freedom = sum(len(group) - 1 for group in repeated)
    if not freedom:
        return None
    squares = sum((len(group) - 1) * variance(group) for group in repeated)
    return Spread(deviation=math.sqrt(squares / freedom), freedom=freedom)


def difference(candidate: Sequence[float], base: Sequence[float], spread: Spread) -> Difference:
    """Compare two means over seeds, by Student's t with the pooled standard deviation."""
    center = mean(candidate) - mean(base)
    quantile = float(students.ppf((1 + CONFIDENCE) / 2, spread.freedom))
    margin = quantile * spread.deviation * math.sqrt(1 / len(candidate) + 1 / len(base))
    percent = 100 / mean(base)
    return Difference(percent=percent * center, low=percent * (center - margin), high=percent * (center + margin))
