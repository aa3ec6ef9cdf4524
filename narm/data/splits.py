"""Which events to learn from, which to choose by, and which to judge by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from narm.data.cuts import alike, by_share, positions_in, used_item_ids, without_unknown
from narm.data.session_log import SessionLog, mask_events
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
        item_ids: raw ids of the items, int64 or string; index i means `item_ids[i - 1]`.
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


def given(
    train: SessionLog,
    test: SessionLog,
    valid: SessionLog | None = None,
    *,
    valid_share: float,
    keep_unknown: bool = False,
) -> Partition:
    """Take the splits as they are given; without `valid`, it is the last part of train in time.

    Every event but a session's first is a target. The vocabulary holds the items of train and validation:
    that is the item set of the published protocols, test has no say in it, and an item that only validation
    has simply gets no training. Test events of other items are dropped, or kept if that is wished: then their
    items are in the vocabulary too, and nothing is learned of them.

    Args:
        train: sessions to learn from (and to choose by).
        test: sessions to judge by.
        valid: sessions to choose by.
        valid_share: validation's share of the train sessions, when `valid` is None.
        keep_unknown: whether test keeps items that neither train nor validation has.
    Raises:
        InputError: a split would be empty.
    """
    if valid is None:
        train, valid = by_share(train, valid_share, "validation")
    item_ids = _union(used_item_ids(train), used_item_ids(valid))
    if keep_unknown:
        item_ids = _union(item_ids, used_item_ids(test))
    else:
        test = without_unknown(test, item_ids)
    return Partition(
        train=Examples.every_prefix(_indexed(train, item_ids)),
        valid=Examples.every_prefix(_indexed(valid, item_ids)),
        test=Examples.every_prefix(_indexed(test, item_ids)),
        item_ids=item_ids,
        notes=(*train.notes, *valid.notes, *test.notes),
    )


def _indexed(log: SessionLog, item_ids: pa.Array) -> Sessions:
    """The log's sessions with item indices: 1 + the position in `item_ids`."""
    return Sessions((positions_in(log.item_ids, item_ids) + np.int32(1))[log.sessions.items], log.sessions.offsets)


def _union(first: pa.Array, second: pa.Array) -> pa.Array:
    return pa.chunked_array(alike(first, second)).unique()


def _without_last(sessions: Sessions, counts: NDArray[np.int64]) -> Sessions:
    """The sessions without the last `counts` events of each."""
    lengths = sessions.lengths
    position = np.arange(sessions.n_events) - np.repeat(sessions.offsets[:-1], lengths)
    return mask_events(sessions, position < np.repeat(lengths - counts, lengths))
