"""The race of the finalists: how many seeds each had, which was given which, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from experiments.tuning.study.summary import Finals

NOTE = (
    "Ranked by validation: the mean over a finalist's runs, among which its trial counts as one, less what trials owe "
    "to luck."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A seed that was given.

    Attributes:
        name: of the finalist that got it.
        ordinal: which of its seeds it was, from 1.
        reason: why it was this one's turn.
    """

    name: str
    ordinal: int
    reason: str


def numbers_of_seeds(finals: Finals) -> str:
    """`a single seed`, `3 seeds`, `1 to 4 seeds`."""
    fewest, most = _fewest_and_most(finals)
    if fewest == most:
        return "a single seed" if most == 1 else f"{most} seeds"
    return f"{fewest} to {most} seeds"


def differ(finals: Finals) -> bool:
    """Whether some finalists had more seeds than others."""
    fewest, most = _fewest_and_most(finals)
    return fewest != most


def mean_over_seeds(finals: Finals) -> str:
    """`mean ± standard deviation over 3 seeds`, or `a single seed`."""
    _, most = _fewest_and_most(finals)
    return f"mean ± standard deviation over {numbers_of_seeds(finals)}" if most > 1 else "a single seed"


def _fewest_and_most(finals: Finals) -> tuple[int, int]:
    counts = [len(finalist.seeds) for finalist in finals.finalists]
    return min(counts), max(counts)


def turns(finals: Finals) -> Iterator[Turn]:
    """Which finalist was given a seed, in this order."""
    default = next((finalist.number for finalist in finals.finalists if finalist.is_default), None)
    given: Counter[int] = Counter()
    for turn in finals.allocations:
        given[turn.number] += 1
        name = f"trial {turn.number}" + (" (default)" if turn.number == default else "")
        yield Turn(name=name, ordinal=given[turn.number], reason=turn.reason)
