"""Which events to learn from, which to choose by, and which to judge by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from narm.data.session_log import SessionLog, mask_events, select_sessions
from narm.data.sessions import Examples, ItemVocabulary, Sessions, Splits
from narm.errors import InputError

LEAKS_FUTURE = (
    "leave-one-out leaks the future: training events of other sessions may be later than a held-out event,"
    " so results are better than they would be in use"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """The three splits of a log, items as indices from 1 into `item_ids`.

    Attributes:
        train: examples to learn from.
        valid: examples to choose by.
        test: examples to judge by.
        item_ids: raw ids of the items, int64 or string; index i stands for `item_ids[i - 1]`.
        notes: what was dropped, and what else a reader of results should know.
    """

    train: Examples
    valid: Examples
    test: Examples
    item_ids: pa.Array
    notes: tuple[str, ...]

    def as_splits(self, *, name: str, max_length: int) -> Splits:
        """The dataset of that name, whose models see the last `max_length` events of a prefix."""
        is_integer = pa.types.is_integer(self.item_ids.type)
        ids = self.item_ids.to_numpy() if is_integer else np.array(self.item_ids.to_pylist(), dtype=np.str_)
        return Splits(
            name=name,
            train=self.train,
            valid=self.valid,
            test=self.test,
            vocabulary=ItemVocabulary(ids),
            max_length=max_length,
            fingerprint=self.fingerprint(),
            notes=self.notes,
        )

    def fingerprint(self) -> str:
        """SHA-256, in hex, over items, offsets and targets of each split, then the raw item ids, one a line.

        Each of these is hashed as its number of bytes, in decimal, a line end, and its bytes (little-endian).
        """
        digest = hashlib.sha256()
        splits = (self.train, self.valid, self.test)
        arrays = [a for s in splits for a in (s.sessions.items, s.sessions.offsets, s.targets)]
        ids = "\n".join(map(str, self.item_ids.to_pylist())).encode()
        for part in (*(np.ascontiguousarray(array) for array in arrays), np.frombuffer(ids, np.uint8)):
            digest.update(b"%d\n" % part.nbytes)
            digest.update(part.data)
        return digest.hexdigest()


def leave_one_out(log: SessionLog) -> Partition:
    """Hold out each session's last event for test and the one before for validation, as RecBole does.

    A session of n events gives n - 1 examples, the targets 2..n, of which train always gets the first: 2
    events give train only, 3 give train and test. The prefix of a test target contains the validation target.
    Validation and test share one array of whole sessions. The vocabulary holds every item of the log.

    Raises:
        InputError: no session is long enough for validation.
    """
    lengths = log.sessions.lengths
    if not (lengths >= 4).any():
        longest = lengths.max(initial=0)
        raise InputError(f"leave-one-out needs a session of 4 events or more; the longest has {longest}")
    whole = _indexed(log, log.item_ids)
    n_held_out = np.clip(lengths - 2, 0, 2)
    ends = whole.offsets[1:]
    return Partition(
        train=Examples.every_prefix(_without_last(whole, n_held_out)),
        valid=Examples(whole, ends[n_held_out == 2] - 2),
        test=Examples(whole, ends[n_held_out >= 1] - 1),
        item_ids=log.item_ids,
        notes=(LEAKS_FUTURE, *log.notes),
    )


def temporal(log: SessionLog, *, valid_share: float, test_share: float) -> Partition:
    """Split whole sessions by time: the last to end are test, the last of the others validation.

    No event of a later split precedes the end of an earlier one: a session that spans a boundary is dropped.
    Targets and vocabulary are those of `given`.

    Args:
        log: the sessions.
        valid_share: validation's share of the sessions that are not test.
        test_share: test's share of all sessions.
    Raises:
        InputError: a split would be empty.
    """
    rest, test = _cut(log, test_share, "test")
    train, valid = _cut(rest, valid_share, "validation")
    return _by_session(train, valid, test)


def given(train: SessionLog, test: SessionLog, valid: SessionLog | None = None, *, valid_share: float) -> Partition:
    """Take the splits as they are given; without `valid`, it is the last part of train in time.

    Every event but a session's first is a target. The vocabulary holds the items of train and validation:
    that is the item set of the published protocols, test has no say in it, and an item that only validation
    has simply gets no training. Test events of other items are dropped.

    Args:
        train: sessions to learn from (and to choose by).
        test: sessions to judge by.
        valid: sessions to choose by.
        valid_share: validation's share of the train sessions, when `valid` is None.
    Raises:
        InputError: a split would be empty.
    """
    shared = _shared_ids(test, train, "test")
    if valid is None:
        train, valid = _cut(train, valid_share, "validation")
    else:
        shared += _shared_ids(valid, train, "validation")
    return _by_session(train, valid, test.with_notes(*shared))


def _by_session(train: SessionLog, valid: SessionLog, test: SessionLog) -> Partition:
    item_ids = _union(_used_item_ids(train), _used_item_ids(valid))
    known_test, dropped = _without_unknown(_indexed(test, item_ids))
    return Partition(
        train=Examples.every_prefix(_indexed(train, item_ids)),
        valid=Examples.every_prefix(_indexed(valid, item_ids)),
        test=Examples.every_prefix(known_test),
        item_ids=item_ids,
        notes=(*train.notes, *valid.notes, *test.notes, *dropped),
    )


def _cut(log: SessionLog, share: float, split: str) -> tuple[SessionLog, SessionLog]:
    """The log up to a point in time, and its last `share` of sessions, without those that span that point.

    A share of 0 leaves the log whole: for the last training, when everything is decided.
    """
    if share == 0:
        return log, log.select(np.arange(0))
    if len(log) < 2:
        raise InputError(f"{split} sessions cannot be split off: there is only {len(log)} session")
    by_end = np.argsort(log.ends, kind="stable")
    n_after = min(max(round(len(log) * share), 1), len(log) - 1)
    before = log.select(by_end[:-n_after])
    after = log.select(by_end[-n_after:])
    spans = after.starts < before.ends[-1]
    if spans.all():
        raise InputError(
            f"{split} would be empty: its {n_after:,} sessions all begin before the others end;"
            " split: leave_one_out is for sessions that overlap"
        )
    n_dropped = int(after.sessions.lengths[spans].sum())
    note = f"dropped {n_dropped:,} events: {int(spans.sum()):,} sessions that span the beginning of {split}"
    after = after.select(np.flatnonzero(~spans))
    return before, replace(after, notes=(note,) if n_dropped else ())


def _shared_ids(later: SessionLog, train: SessionLog, split: str) -> tuple[str, ...]:
    ids, train_ids = _alike(later.ids, train.ids)
    n_shared = pc.sum(pc.is_in(ids, value_set=train_ids)).as_py()
    return (f"{n_shared:,} {split} sessions have the id of a train session",) if n_shared else ()


def _indexed(log: SessionLog, item_ids: pa.Array) -> Sessions:
    """The log's sessions with item indices: 1 + the position in `item_ids`, 0 for an item not there."""
    ids, known_ids = _alike(log.item_ids, item_ids)
    positions = pc.fill_null(pc.index_in(ids, value_set=known_ids), -1).to_numpy()
    return Sessions((positions + np.int32(1))[log.sessions.items], log.sessions.offsets)


def _used_item_ids(log: SessionLog) -> pa.Array:
    used = np.flatnonzero(np.bincount(log.sessions.items, minlength=len(log.item_ids)))
    return log.item_ids.take(pa.array(used))


def _union(first: pa.Array, second: pa.Array) -> pa.Array:
    return pa.chunked_array(_alike(first, second)).unique()


def _alike(first: pa.Array, second: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Both as they are if of one type, else as text: ids may be integers in one file and not in another."""
    if first.type == second.type:
        return first, second
    return first.cast(pa.string()), second.cast(pa.string())


def _without_last(sessions: Sessions, counts: NDArray[np.int64]) -> Sessions:
    """The sessions without the last `counts` events of each."""
    lengths = sessions.lengths
    position = np.arange(sessions.n_events) - np.repeat(sessions.offsets[:-1], lengths)
    return mask_events(sessions, position < np.repeat(lengths - counts, lengths))


def _without_unknown(sessions: Sessions) -> tuple[Sessions, tuple[str, ...]]:
    """The sessions without events of item 0, and without those then too short to have a target."""
    known = mask_events(sessions, sessions.items != 0)
    long_enough = known.lengths >= 2
    if not long_enough.any():
        raise InputError("no test session has two events of items that train has")
    n_unknown = sessions.n_events - known.n_events
    n_short = int(known.lengths[~long_enough].sum())
    notes = []
    if n_unknown:
        notes.append(f"dropped {n_unknown:,} events: test events of items that train does not have")
    if n_short:
        notes.append(f"dropped {n_short:,} events: test sessions left with one event")
    return select_sessions(known, np.flatnonzero(long_enough)), tuple(notes)
