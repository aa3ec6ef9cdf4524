"""Events grouped into sessions, each in time order: what the splits cut."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from narm.data.events import Events, Times
from narm.data.sessions import Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLog:
    """Sessions, each in time order.

    Attributes:
        sessions: the events; an item here is a position in `item_ids`, from 0, and not yet an item index.
        times: times of the events, [events].
        ticks_per_second: unit of the times; None: they say what came first, and no more.
        ids: raw session ids, [sessions].
        item_ids: raw item ids; it may hold items that no session has.
        notes: what was dropped on the way here.
    """

    sessions: Sessions
    times: Times
    ticks_per_second: int | None
    ids: pa.Array
    item_ids: pa.Array
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.sessions)

    @property
    def starts(self) -> Times:
        """Time of each session's first event, [sessions]."""
        return self.times[self.sessions.offsets[:-1]]

    @property
    def ends(self) -> Times:
        """Time of each session's last event, [sessions]."""
        return self.times[self.sessions.offsets[1:] - 1]

    def select(self, which: NDArray[np.int64]) -> SessionLog:
        """The sessions of those positions, in that order."""
        positions, offsets = _positions(self.sessions, which)
        return replace(
            self,
            sessions=Sessions(self.sessions.items[positions], offsets),
            times=self.times[positions],
            ids=self.ids.take(pa.array(which)),
        )

    def mask(self, mask: NDArray[np.bool_], *, at_least: int) -> tuple[SessionLog, int]:
        """The events of a mask, bool [events], in the sessions that are left with `at_least` of them (1 or more).

        Returns:
            the log, and the number of events of the mask in sessions too short.
        """
        masked = replace(self, sessions=mask_events(self.sessions, mask), times=self.times[mask])
        fits = masked.sessions.lengths >= at_least
        if fits.all():
            return masked, 0
        return masked.select(np.flatnonzero(fits)), int(masked.sessions.lengths[~fits].sum())

    def with_notes(self, *notes: str) -> SessionLog:
        """The same log, with more to say about it."""
        return replace(self, notes=self.notes + notes)


def group_events(events: Events, *, recbole_ties: bool = False) -> SessionLog:
    """Group events by session, in time order; events of equal time keep the order of the file.

    Args:
        events: at least one.
        recbole_ties: compare times as RecBole does, min-max normalised and rounded to float32. On ml-100k
            that makes some neighbours of different seconds equal, and moves 9 of the 1,886 held-out targets.
    """
    keys = _normalised(events.times) if recbole_ties else events.times
    order = order_by_session(events.sessions, keys)
    return SessionLog(
        sessions=Sessions(
            events.items[order], _offsets(np.bincount(events.sessions, minlength=len(events.session_ids)))
        ),
        times=events.times[order],
        ticks_per_second=events.ticks_per_second,
        ids=events.session_ids,
        item_ids=events.item_ids,
        notes=events.notes,
    )


def order_by_session(sessions: NDArray[np.int32], times: Times | NDArray[np.float32]) -> NDArray[np.int64]:
    """Positions sorted by session, then time, then position.

    Two stable sorts, which numpy does in linear time where the log is already in order, as most logs are.
    """
    by_time = np.argsort(times, kind="stable")
    return by_time[np.argsort(sessions[by_time], kind="stable")]


def mask_events(sessions: Sessions, mask: NDArray[np.bool_]) -> Sessions:
    """The same sessions with only the events of a mask, bool [events]; a session may be left empty."""
    return Sessions(sessions.items[mask], _offsets(mask)[sessions.offsets])


def _offsets(counts: NDArray[np.int64] | NDArray[np.bool_]) -> NDArray[np.int64]:
    """Where each run begins, and the last ends, [counts + 1]."""
    offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def _positions(sessions: Sessions, which: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of the events of some sessions, one session after the other, and their new offsets."""
    lengths = sessions.lengths[which]
    offsets = _offsets(lengths)
    positions = np.repeat(sessions.offsets[which] - offsets[:-1], lengths)
    positions += np.arange(len(positions))
    return positions, offsets


def _normalised(times: Times) -> NDArray[np.float32]:
    exact = times.astype(np.float64)
    exact -= exact.min()
    exact /= exact.max() or 1.0
    return exact.astype(np.float32)
