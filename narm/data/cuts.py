"""Where sessions are cut apart in time, and which of the later ones can be used."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from narm.data.plausible_times import require_seconds
from narm.data.readers.ids import without_point
from narm.data.session_log import SessionLog
from narm.errors import InputError
from narm.text.duration import parse_duration


def by_share(log: SessionLog, share: float, split: str) -> tuple[SessionLog, SessionLog]:
    """The log up to a point in time, and its last `share` of sessions, without those that span that point.

    A share of 0 leaves the log whole: for the last training, when everything is decided.

    Raises:
        InputError: one of the two would be empty; the message names the split.
    """
    if share == 0:
        return log, replace(log.select(np.arange(0)), notes=())
    if len(log) < 2:
        raise InputError(f"{split} sessions cannot be split off: there is only {len(log)} session")
    by_end = np.argsort(log.ends, kind="stable")
    n_after = min(max(round(len(log) * share), 1), len(log) - 1)
    before = log.select(by_end[:-n_after])
    after = log.select(by_end[-n_after:])
    spans = after.starts < before.ends[-1]
    if spans.all():
        raise InputError(
            f"{split} would be empty: its {n_after:,} sessions all begin before the others end; "
            "if they are users, session_gap: 30m cuts their events into sessions; "
            "split: leave_one_out is for users as they are"
        )
    n_dropped = int(after.sessions.lengths[spans].sum())
    note = f"dropped {n_dropped:,} events: {int(spans.sum()):,} sessions that span the beginning of {split}"
    after = after.select(np.flatnonzero(~spans))
    return before, replace(after, notes=(note,) if n_dropped else ())


def by_period(log: SessionLog, period: str) -> tuple[SessionLog, SessionLog]:
    """Train and test: the sessions that end in the last stretch of time are test.

    As the preprocessing of SR-GNN has it, and with it the published figures: the time of a session is that of its
    end, in whole units of the period (`7d`: days in UTC, `86400s`: seconds). With e the last unit of all, train ends
    before e - period, test after it; sessions that end in that very unit are dropped. A test session may have begun
    before train ended. Both are in the order of their ends.

    Raises:
        InputError: the times cannot be counted in seconds, or one of the two would be empty.
    """
    duration = parse_duration(period)
    ticks = require_seconds(log.times, log.ticks_per_second, "test_period")
    ends = np.floor_divide(log.ends, duration.unit * ticks)
    by_end = np.argsort(log.ends, kind="stable")
    boundary = ends.max() - duration.count
    is_train, is_test = ends[by_end] < boundary, ends[by_end] > boundary
    if not is_train.any():
        raise InputError(f"test_period {period}: no session ends before it; the log is not that long")
    train, test = log.select(by_end[is_train]), log.select(by_end[is_test])
    n_dropped = log.sessions.n_events - train.sessions.n_events - test.sessions.n_events
    n_spanning = int((test.starts < train.ends[-1]).sum())
    notes = []
    if n_dropped:
        n_sessions = len(log) - len(train) - len(test)
        notes.append(f"dropped {n_dropped:,} events: {n_sessions:,} sessions that end between train and test")
    if n_spanning:
        notes.append(f"{n_spanning:,} test sessions begin before the last training session ends")
    return train, replace(test, notes=tuple(notes))


def most_recent(log: SessionLog, share: float) -> SessionLog:
    """The last `share` of the targets, in order of the ends of their sessions: Yoochoose 1/64 and 1/4.

    As published, the count is exact: the first session is cut short to the events that make it so.

    Args:
        log: the training sessions, of two events or more each.
        share: share of their targets, rounded down.
    Raises:
        InputError: no target would be left.
    """
    if share == 1:
        return log
    log = log.select(np.argsort(log.ends, kind="stable"))
    n_targets = log.sessions.lengths - 1
    n_kept = int(n_targets.sum() * share)
    if n_kept == 0:
        raise InputError(f"recent_share {share}: nothing would be left of {int(n_targets.sum()):,} training targets")
    n_from = np.cumsum(n_targets[::-1])[::-1]  # targets of each session and of all after it
    first = int(np.flatnonzero(n_from >= n_kept)[-1])
    kept = np.zeros(log.sessions.n_events, dtype=bool)
    start = int(log.sessions.offsets[first])
    kept[start:] = True
    excess = int(n_from[first]) - n_kept
    kept[log.sessions.offsets[first + 1] - excess : log.sessions.offsets[first + 1]] = False
    n_dropped = int((~kept).sum())
    recent, _ = log.mask(kept, at_least=2)
    return recent.with_notes(f"dropped {n_dropped:,} events: all but the most recent {share:g} of the training targets")


def without_unknown(log: SessionLog, known_ids: pa.Array) -> SessionLog:
    """Test sessions without events of items that are not known, and without those then too short to have a target.

    Raises:
        InputError: none is left.
    """
    positions = positions_in(log.item_ids, known_ids)
    known = positions[log.sessions.items] >= 0
    left, n_short = log.mask(known, at_least=2)
    if len(left) == 0:
        raise InputError(
            f"no test session of {len(log):,} has two events of items that train has, as `unknown_items: drop` needs:"
            f" of {log.sessions.n_events:,} test events {int(known.sum()):,} are of such items"
        )
    n_unknown = log.sessions.n_events - int(known.sum())
    notes = (
        (n_unknown, "test events of items that train does not have"),
        (n_short, "test sessions left with one event"),
    )
    return left.with_notes(*(f"dropped {count:,} events: {why}" for count, why in notes if count))


def used_item_ids(log: SessionLog) -> pa.Array:
    """Raw ids of the items that a log's sessions have."""
    used = np.flatnonzero(np.bincount(log.sessions.items, minlength=len(log.item_ids)))
    return log.item_ids.take(pa.array(used))


def positions_in(ids: pa.Array, known_ids: pa.Array) -> NDArray[np.int32]:
    """Index of each id among the known ones, or -1."""
    ids, known_ids = alike(ids, known_ids)
    positions: NDArray[np.int32] = pc.fill_null(pc.index_in(ids, value_set=known_ids), -1).to_numpy()
    return positions


def alike(first: pa.Array, second: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Both as they are if of one type, else as text: ids may be integers in one file and not in another."""
    if first.type == second.type:
        return first, second
    # Beside integers, 26.0 among text is one of them.
    return without_point(first.cast(pa.string())), without_point(second.cast(pa.string()))
