"""What every reader returns: three columns, and what a note should say about them."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""Ticks a second, by the option `time_unit`."""

NANOSECONDS = TICKS["ns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTable:
    """A log as its file has it, one row an event, in file order.

    Attributes:
        sessions: ids, dictionary-encoded in order of first appearance, one dictionary for all chunks.
        items: ids, likewise.
        times: int64 or float64.
        ticks_per_second: unit of the times; None: they say what came first, and no more.
        of_dates: whether the times were dates, and not numbers in a unit that an option names.
        columns: names of the columns that were taken: session, item, time; empty where the format has no names.
        taken: a note on these, where they are a guess.
        of_users: whether the sessions are users, each with all that a user ever did.
        atomic: whether the file is RecBole's, whose order of ties applies.
        n_wrong: rows of the file that are left out because they are wrong.
        notes: what a reader of results should know.
    """

    sessions: pa.ChunkedArray
    items: pa.ChunkedArray
    times: pa.ChunkedArray
    ticks_per_second: int | None
    of_dates: bool = False
    columns: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    of_users: bool = False
    atomic: bool = False
    n_wrong: int = 0
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    @property
    def is_sound(self) -> bool:
        """Whether every event has an id of a session, an id of an item, and a finite time."""
        columns = (self.sessions, self.items, self.times)
        if any(column.null_count for column in columns):
            return False
        if pa.types.is_floating(self.times.type) and not pc.all(pc.is_finite(self.times)).as_py():
            return False
        return not any(_has_empty_text(ids) for ids in (self.sessions, self.items))


def encode(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dictionary-encode ids, codes in order of first appearance; all chunks share one dictionary."""
    if pa.types.is_dictionary(ids.type):
        return ids.unify_dictionaries()
    # Encoded chunk by chunk, each would hold a dictionary of all ids so far.
    return pa.chunked_array([ids.combine_chunks().dictionary_encode()])


def numbered(prefix: str, numbers: pa.Array) -> pa.Array:
    """Ids for sessions that have none: `train.txt:1`, `train.txt:2`.

    The file's name is part of it, so that sessions of two files are never taken for the same.
    """
    return pc.binary_join_element_wise(prefix, numbers.cast(pa.string()), ":")


def _has_empty_text(ids: pa.ChunkedArray) -> bool:
    if ids.num_chunks == 0 or not pa.types.is_string(ids.type.value_type):
        return False
    return bool(pc.index(ids.chunk(0).dictionary, "").as_py() >= 0)
