"""Comparisons as a page draws them: an interval on an axis that holds zero."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from experiments.tuning.study.summary import Comparison, Finals


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A comparison, drawn as a dot with whiskers: positions in percent of the axis."""

    comparison: Comparison
    rival: str
    low: float
    middle: float
    high: float
    zero: float

    @property
    def meaning(self) -> str:
        """What the interval says of the first."""
        if self.comparison.low > 0:
            return "better"
        return "worse" if self.comparison.high < 0 else "undecided"


def final_intervals(finals: Finals) -> list[Interval]:
    """The winner against the default configuration and the runner-up."""
    default = {finalist.number for finalist in finals.finalists if finalist.is_default}
    return list(
        intervals(finals.comparisons, lambda c: "the default" if c.against in default else f"trial {c.against}")
    )


def intervals(comparisons: Sequence[Comparison], rival: Callable[[Comparison], str]) -> Iterator[Interval]:
    """Comparisons on one axis for each metric.

    Args:
        comparisons: in the order to be shown.
        rival: what to call the second of a comparison.
    """
    for comparison in comparisons:
        start, width = _axis([other for other in comparisons if other.metric == comparison.metric])
        low, middle, high, zero = (
            100 * (value - start) / width for value in (comparison.low, comparison.difference, comparison.high, 0.0)
        )
        yield Interval(comparison=comparison, rival=rival(comparison), low=low, middle=middle, high=high, zero=zero)


def _axis(comparisons: Sequence[Comparison]) -> tuple[float, float]:
    """Start and width of an axis with some air at its ends."""
    low = min(0.0, *(comparison.low for comparison in comparisons))
    high = max(0.0, *(comparison.high for comparison in comparisons))
    air = 0.06 * (high - low) or 1.0
    return low - air, high - low + 2 * air
