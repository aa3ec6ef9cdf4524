"""What two files of sessions share: a session that is trained on must not be judged by."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from narm.data.cuts import alike
from narm.data.session_log import SessionLog
from narm.errors import InputError


def require_apart(train: SessionLog, later: SessionLog, split: str, *, ids_are_users: bool = False) -> tuple[str, ...]:
    """Refuse a session of train that is in a later split too, and say what else is odd.

    A session is the same if its id, its number of events, and the times of its first and last event are.

    Args:
        train: sessions to learn from.
        later: sessions to judge or to choose by.
        split: its name, `test` or `validation`.
        ids_are_users: whether an id alone says nothing, since sessions are cut out of users' logs.
    Returns:
        notes: how many sessions share an id and nothing else; how many begin before train has ended.
    Raises:
        InputError: a session is in both.
    """
    positions = _positions(later, train)
    shared = np.flatnonzero(positions >= 0)
    theirs = positions[shared]
    same = shared[
        (later.sessions.lengths[shared] == train.sessions.lengths[theirs])
        & (later.starts[shared] == train.starts[theirs])
        & (later.ends[shared] == train.ends[theirs])
    ]
    if len(same):
        raise InputError(
            f"{len(same):,} {split} sessions are sessions of the training file too, the first with id "
            f"{later.ids[int(same[0])]}: give each split sessions of its own"
        )
    notes = []
    if len(shared) and not ids_are_users:
        notes.append(f"{len(shared):,} {split} sessions have the id of a train session")
    if train.ticks_per_second is not None and train.ticks_per_second == later.ticks_per_second:
        early = int((later.starts < train.ends.max()).sum())
        if early:
            notes.append(f"{early:,} of {len(later):,} {split} sessions begin before the last train session has ended")
    return tuple(notes)


def _positions(later: SessionLog, train: SessionLog) -> NDArray[np.int64]:
    """For each later session, the train session of its id; -1 where there is none."""
    ids, train_ids = alike(later.ids, train.ids)
    return np.asarray(pc.index_in(ids, value_set=pa.array(train_ids)).fill_null(-1)).astype(np.int64)
