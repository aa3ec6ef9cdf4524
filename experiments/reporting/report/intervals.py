"""Comparisons as a page draws them: an interval on an axis that holds zero."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from experiments.tuning.study.summary import Comparison, Finals


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A comparison, drawn as a dot with whiskers: positions in percent of the axis."""

    comparison: Comparison
    label: str
    low: float
    middle: float
    high: float
    zero: float


def final_intervals(finals: Finals) -> list[Interval]:
    """The winner against the model that a person has, the default configuration and the runner-up."""
    names: dict[int | None, str] = {
        finalist.number: "the default" if finalist.is_default else f"trial {finalist.number}"
        for finalist in finals.finalists
    }
    comparisons = list(finals.comparisons)
    if (incumbent := finals.incumbent) is not None:
        names[None] = incumbent.name
        comparisons = [*incumbent.comparisons, *comparisons]
    return list(intervals(comparisons, lambda compared: names[compared.against]))


def length_intervals(finals: Finals, metric: str) -> list[Interval]:
    """The winner against the default configuration by session length, where there are sessions enough.

    Args:
        finals: the verdict.
        metric: of the figures by session length, spelled `MRR@10`.
    """
    default = finals.default
    if default is None:
        return []
    compared = {
        each.name: Comparison(
            metric=metric,
            against=default.number,
            difference=each.lead.mean,
            low=each.lead.interval[0],
            high=each.lead.interval[1],
        )
        for each in finals.by_length
        if each.lead is not None and each.lead.interval is not None
    }
    drawn = intervals(list(compared.values()), lambda _: "the default")
    return [replace(each, label=f"{name} events") for name, each in zip(compared, drawn, strict=True)]


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
        label = f"{comparison.metric} against {rival(comparison)}"
        yield Interval(comparison=comparison, label=label, low=low, middle=middle, high=high, zero=zero)


def _axis(comparisons: Sequence[Comparison]) -> tuple[float, float]:
    """Start and width of an axis with some air at its ends."""
    low = min(0.0, *(comparison.low for comparison in comparisons))
    high = max(0.0, *(comparison.high for comparison in comparisons))
    air = 0.06 * (high - low) or 1.0
    return low - air, high - low + 2 * air
