"""Which events and sessions are used at all: k-core, item support and session length."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from narm.data.events import Events
from narm.data.session_log import SessionLog
from narm.errors import InputError

ANY_NUMBER = "[0,inf)"
"""The interval that leaves everything as it is, RecBole's default."""

_INTERVAL = re.compile(r"\s*([\[(])\s*([^,\s]+)\s*,\s*([^,\s]+)\s*([\])])\s*")


@dataclass(frozen=True, slots=True)
class Interval:
    """A range of counts, such as `[5,inf)`: square brackets include their end, round ones do not."""

    low: float
    high: float
    with_low: bool
    with_high: bool

    def holds(self, counts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which counts lie inside, same shape."""
        above = counts >= self.low if self.with_low else counts > self.low
        below = counts <= self.high if self.with_high else counts < self.high
        return np.asarray(above & below)


def parse_intervals(text: str, option: str) -> tuple[Interval, ...]:
    """Read RecBole's intervals: `[5,inf)`, `(10,200]`, or several with `;` between.

    Raises:
        InputError: `text` is not of that form; the message names `option`.
    """
    return tuple(_parse_interval(part, option) for part in text.split(";"))


def _parse_interval(text: str, option: str) -> Interval:
    match = _INTERVAL.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        low, high = float(match[2]), float(match[3])
        if not low <= high:
            raise ValueError
    except ValueError:
        raise InputError(f"{option}: '{text}' is not an interval such as [5,inf) or (10,200]") from None
    return Interval(low, high, match[1] == "[", match[4] == "]")


def k_core(events: Events, users: str, items: str) -> tuple[Events, tuple[str, ...]]:
    """Keep sessions and items whose number of events lies in their intervals, again and again until all do.

    As RecBole's `user_inter_num_interval` and `item_inter_num_interval`, which look at both in each round.

    Args:
        events: the log.
        users: intervals of a session's events.
        items: intervals of an item's events.
    Returns:
        the events left, and notes on those that are not.
    Raises:
        InputError: an interval is malformed, or nothing is left.
    """
    user_intervals = parse_intervals(users, "user_inter_num_interval")
    item_intervals = parse_intervals(items, "item_inter_num_interval")
    kept = np.ones(len(events), dtype=bool)
    while True:
        wrong = kept & ~(_fits(events.sessions, kept, user_intervals) & _fits(events.items, kept, item_intervals))
        if not wrong.any():
            break
        kept &= ~wrong
    n_dropped = len(events) - int(kept.sum())
    if n_dropped == 0:
        return events, ()
    intervals = {"user_inter_num_interval": users, "item_inter_num_interval": items}
    why = ", ".join(f"{option} {text}" for option, text in intervals.items() if text != ANY_NUMBER)
    if n_dropped == len(events):
        raise InputError(f"no events left of {n_dropped:,} after {why}")
    return events.keep(kept), (f"dropped {n_dropped:,} events: {why}",)


def item_support(events: Events, minimum: int, min_session_length: int) -> tuple[Events, tuple[str, ...]]:
    """Drop sessions that are too short, then items with too few of the events that are left.

    One pass, as in the preprocessing of GRU4Rec, NARM and SR-GNN: sessions that become too short by it are for
    `by_length` to drop, and items that get rare by that stay.

    Args:
        events: the log.
        minimum: fewest events of an item.
        min_session_length: fewest events of a session that is counted.
    Returns:
        the events left, and notes on those that are not.
    Raises:
        InputError: nothing is left.
    """
    if minimum <= 1:
        return events, ()
    kept = np.bincount(events.sessions)[events.sessions] >= min_session_length
    n_short = len(events) - int(kept.sum())
    kept &= np.bincount(events.items[kept], minlength=len(events.item_ids))[events.items] >= minimum
    n_rare = len(events) - n_short - int(kept.sum())
    if not kept.any():
        raise InputError(f"no events left of {len(events):,} after min_item_support {minimum}")
    notes = (
        (n_short, f"sessions with fewer than {min_session_length} events"),
        (n_rare, f"items with fewer than {minimum} events (min_item_support)"),
    )
    return events.keep(kept), tuple(f"dropped {count:,} events: {why}" for count, why in notes if count)


def _fits(codes: NDArray[np.int32], kept: NDArray[np.bool_], intervals: tuple[Interval, ...]) -> NDArray[np.bool_]:
    """For each event, whether its session's (or item's) number of kept events lies in an interval."""
    counts = np.bincount(codes[kept], minlength=int(codes.max()) + 1)
    fits = np.zeros(len(counts), dtype=bool)
    for interval in intervals:
        fits |= interval.holds(counts)
    return fits[codes]


def by_length(log: SessionLog, minimum: int, maximum: int | None, *, name: str) -> SessionLog:
    """Keep sessions of `minimum` to `maximum` events, both included.

    Args:
        log: the sessions.
        minimum: fewest events.
        maximum: most events; None: no limit.
        name: what notes and errors call the log.
    Raises:
        InputError: none is left.
    """
    lengths = log.sessions.lengths
    fits = (lengths >= minimum) & (lengths <= (maximum or np.inf))
    if fits.all():
        return log
    if not fits.any():
        limits = f"min_session_length {minimum}" + (f", max_session_length {maximum}" if maximum else "")
        raise InputError(
            f"{name}: no sessions left after {limits};"
            f" there are {len(log):,}, of {lengths.min()} to {lengths.max()} events"
            + "".join(f"; {note}" for note in log.notes if note.startswith("dropped"))
        )
    limits = f"fewer than {minimum} events" + (f" or more than {maximum}" if maximum else "")
    n_events, n_sessions = int(lengths[~fits].sum()), int((~fits).sum())
    note = f"dropped {n_events:,} events: {n_sessions:,} sessions of {name} with {limits}"
    return log.select(np.flatnonzero(fits)).with_notes(note)
