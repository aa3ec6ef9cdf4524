"""The finalists by session length, for figures and tables: the winner, and the default configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.tuning.study.summary import Estimate, Finals


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthLine:
    """A finalist's results, one for each class of lengths.

    Attributes:
        group: one of `experiments.reporting.figures.curves.GROUPS`, which decides on the colour.
        name: for a legend or a heading.
        estimates: as many as `Finals.by_length` has classes.
    """

    group: str
    name: str
    estimates: Sequence[Estimate]


def length_lines(finals: Finals) -> list[LengthLine]:
    """The winner, and the default configuration where it is another."""
    is_default = finals.finalists[0].is_default
    name = f"trial {finals.winner}, {'the default configuration' if is_default else 'winner'}"
    lines = [LengthLine(group="winner", name=name, estimates=[each.winner for each in finals.by_length])]
    estimates = [each.default for each in finals.by_length if each.default is not None]
    default = finals.default
    if default is not None and estimates and not is_default:
        lines.append(LengthLine(group="default", name=f"trial {default.number}, default", estimates=estimates))
    return lines


def estimate_text(estimate: Estimate) -> str:
    """`0.3100 [0.2700, 0.3500]`; the mean alone where there is no interval."""
    interval = "" if estimate.interval is None else " [{:.4f}, {:.4f}]".format(*estimate.interval)
    return f"{estimate.mean:.4f}{interval}"


def difference_text(estimate: Estimate | None) -> str:
    """`+0.0900 [+0.0500, +0.1300]`; the mean alone where there is no interval, and nothing without an estimate."""
    if estimate is None:
        return ""
    interval = "" if estimate.interval is None else " [{:+.4f}, {:+.4f}]".format(*estimate.interval)
    return f"{estimate.mean:+.4f}{interval}"


def half_widths(estimates: Sequence[Estimate]) -> tuple[list[float], list[float]]:
    """How far each interval reaches below and above its mean; 0 where there is none."""
    ends = [each.interval or (each.mean, each.mean) for each in estimates]
    below = [each.mean - low for each, (low, _) in zip(estimates, ends, strict=True)]
    above = [high - each.mean for each, (_, high) in zip(estimates, ends, strict=True)]
    return below, above
