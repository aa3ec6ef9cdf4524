"""Where a model is good: by length of the session, by position in it, and by popularity of the target.

A mean hides that a model may gain on long sessions only, or on popular items only; an interval beside each says
how much of a difference is chance. All from the ranks of the targets, so that it can be asked later, too.

Q targets, V items and the padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from narm.data.sessions import Examples
from narm.evaluation.bootstrap import Interval, slice_intervals
from narm.metrics import MetricName, Ranks, metric_values

Dimension = Literal["all", "session length", "position", "popularity"]

POPULARITY = ("head", "mid", "tail")

_LOWEST = (1, 2, 3, 4, 5, 6, 11, 21, 51, 101)
"""First number of events of each class of lengths; fewer sessions have the longer lengths, so classes widen."""

MIN_SESSIONS = 10
"""Resampling fewer sessions gives intervals that are far too narrow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Some of the targets, and how well they were ranked.

    Attributes:
        by: the dimension along which targets are divided.
        name: name of the slice: `2`, `6-10`, `101+`, `head`; `all` for all targets.
        n_targets: how many.
        n_sessions: sessions they are from.
        metrics: means over the targets, by key.
        intervals: the 95 % interval of each, by key; empty for fewer than 10 sessions.
    """

    by: Dimension
    name: str
    n_targets: int
    n_sessions: int
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]


def metrics_by_slice(
    ranks: Ranks,
    examples: Examples,
    train_counts: NDArray[np.int64],
    *,
    metrics: Sequence[MetricName],
    cutoffs: Sequence[int],
    resamples: int = 2_000,
    seed: int,
) -> list[Slice]:
    """The metrics over all targets, and by session length, position and popularity; no slice is empty.

    *Session length* counts all events of the session; *position* those before the target, seen or not.
    *Popularity*: the most popular items that have a third of the training events are the head, those that have the
    next third are mid, the rest and items without training events are the tail; items of equal count stay together.

    Args:
        ranks: ranks of the targets, [Q].
        examples: the targets.
        train_counts: training events of each item, [V].
        metrics: which to report.
        cutoffs: at which K.
        resamples: resamples in the bootstrap over sessions.
        seed: seed of the bootstrap.
    Returns:
        all targets first, then each dimension, ascending.
    """
    values = metric_values(ranks, metrics, cutoffs)
    sessions = examples.session_of_target
    slices = _slices(examples, train_counts)
    intervals = slice_intervals(
        np.stack(list(values.values())),
        sessions,
        [members for _, _, members in slices],
        resamples=resamples,
        seed=seed,
    )
    return [
        _slice(by, name, sessions[members], dict(zip(values, of_slice, strict=True)))
        for (by, name, members), of_slice in zip(slices, intervals, strict=True)
    ]


def _slice(by: Dimension, name: str, sessions: NDArray[np.int64], intervals: dict[str, Interval]) -> Slice:
    """A slice, given the session of each of its targets, and each metric."""
    n_sessions = len(np.unique(sessions))
    trusted = intervals if n_sessions >= MIN_SESSIONS else {}
    return Slice(
        by=by,
        name=name,
        n_targets=len(sessions),
        n_sessions=n_sessions,
        metrics={key: interval.mean for key, interval in intervals.items()},
        intervals={key: (interval.low, interval.high) for key, interval in trusted.items()},
    )


def popularity_classes(train_counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The class of each item, an index into `POPULARITY`, [V]: by the share of events that more popular items have."""
    counts, place = np.unique(-train_counts, return_inverse=True)  # the most popular first
    events = np.bincount(place) * -counts
    above = np.cumsum(events) - events
    classes = np.minimum(above * len(POPULARITY) // max(events.sum(), 1), len(POPULARITY) - 1)
    classes[counts == 0] = len(POPULARITY) - 1
    of_items: NDArray[np.int64] = classes[place]
    return of_items


def session_length_slices(examples: Examples) -> list[tuple[str, NDArray[np.int64]]]:
    """Positions of the targets in sessions of each class of lengths, ascending; no class is empty."""
    classes = _class_of_number(examples.sessions.lengths[examples.session_of_target])
    return [(_NUMBERS[each], np.flatnonzero(classes == each)) for each in np.unique(classes)]


def _slices(examples: Examples, train_counts: NDArray[np.int64]) -> list[tuple[Dimension, str, NDArray[np.int64]]]:
    """Dimension, name and positions of the targets of each slice that has any."""
    session = examples.session_of_target
    lengths = _class_of_number(examples.sessions.lengths[session])
    positions = _class_of_number(examples.targets - examples.sessions.offsets[session])
    popularity = popularity_classes(train_counts)[examples.target_items]
    dimensions: list[tuple[Dimension, NDArray[np.int64], Sequence[str]]] = [
        ("session length", lengths, _NUMBERS),
        ("position", positions, _NUMBERS),
        ("popularity", popularity, POPULARITY),
    ]
    return [
        ("all", "all", np.arange(len(examples))),
        *(
            (by, names[each], np.flatnonzero(classes == each))
            for by, classes, names in dimensions
            for each in np.unique(classes)
        ),
    ]


def _class_of_number(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.searchsorted(_LOWEST, numbers, side="right") - 1


def _names_of_numbers() -> list[str]:
    highest = [low - 1 for low in _LOWEST[1:]]
    names = [f"{low}" if low == high else f"{low}-{high}" for low, high in zip(_LOWEST, highest, strict=False)]
    return [*names, f"{_LOWEST[-1]}+"]


_NUMBERS = _names_of_numbers()
