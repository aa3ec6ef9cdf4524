"""Files of examples, a prefix and its target a row, and the sessions that they are the prefixes of."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from narm.data.readers.event_table import EventTable, numbered
from narm.errors import InputError


def whole_sessions(items: pa.DictionaryArray, offsets: NDArray[np.int64], path: Path) -> EventTable:
    """Put the sessions together again of which each row is a prefix with its target.

    The preprocessing of SR-GNN writes the prefixes of a session one after the other, the longest first; that of
    RecBole the shortest first. Either way the longest is the session.

    Args:
        items: items of all rows, the target last in each.
        offsets: offsets of the rows, int64 [rows + 1]; each row has two items or more.
        path: the file, for ids and errors.
    Raises:
        InputError: the rows are not every prefix of whole sessions: they cannot be counted as they are.
    """
    codes = items.indices.to_numpy()
    lengths = np.diff(offsets)
    shrinks, grows = _continues(codes, offsets, -1), _continues(codes, offsets, 1)
    is_session = ~np.append(grows[1:], False) if grows.sum() > shrinks.sum() else ~shrinks
    n_targets = int((lengths[is_session] - 1).sum())
    if n_targets != len(lengths):
        filled = "; if 0 only fills up the rows, leave it out" if _has_zero(items.dictionary) else ""
        raise InputError(f"{path}: its {len(lengths):,} rows {_why_not_whole(codes, offsets, n_targets)}{filled}")
    return ordered_sessions(items.filter(pa.array(np.repeat(is_session, lengths))), lengths[is_session], path)


def _has_zero(ids: pa.Array) -> bool:
    return bool(ids.index(pa.scalar("0" if pa.types.is_string(ids.type) else 0, ids.type)).as_py() >= 0)


def _why_not_whole(codes: NDArray[np.int32], offsets: NDArray[np.int64], n_targets: int) -> str:
    """Whether every prefix is there after all, in another order: shuffled, as for training."""
    rows = [codes[start:end].tobytes() for start, end in pairwise(offsets)]
    there, shortest = set(rows), 2 * codes.itemsize
    if all(len(row) == shortest or row[: -codes.itemsize] in there for row in rows):
        return (
            "are every prefix of sessions, but not one after the other, so that they cannot be put together again;"
            " write the prefixes of a session together, the longest first, or each session once without a target"
        )
    return (
        f"are not every prefix of whole sessions, which would be {n_targets:,};"
        " give each session once, as a list without a target"
    )


def ordered_sessions(items: pa.DictionaryArray, lengths: NDArray[np.int64], path: Path) -> EventTable:
    """Sessions in time order, but without times; they are numbered.

    Args:
        items: items of all sessions, one after the other.
        lengths: number of events of each session.
        path: the file, whose name is part of the ids.
    """
    ids = numbered(path.name, pa.array(np.arange(1, len(lengths) + 1)))
    codes = pa.array(np.repeat(np.arange(len(lengths), dtype=np.int32), lengths))
    return EventTable(
        sessions=pa.chunked_array([pa.DictionaryArray.from_arrays(codes, ids)]),
        items=pa.chunked_array([items.dictionary_decode().dictionary_encode()]),
        times=pa.chunked_array([np.arange(len(items))]),
        ticks_per_second=None,
    )


def _continues(codes: NDArray[np.int32], offsets: NDArray[np.int64], step: int) -> NDArray[np.bool_]:
    """Which rows are the row before them with one item less at the end (step -1), or one more (step 1), [rows]."""
    lengths = np.diff(offsets)
    found = np.zeros(len(lengths), dtype=bool)
    found[1:] = lengths[1:] == lengths[:-1] + step
    candidates = np.flatnonzero(found)
    if len(candidates) == 0:
        return found
    shared = np.minimum(lengths[candidates], lengths[candidates - 1])
    starts = np.cumsum(shared) - shared
    within = np.arange(int(shared.sum())) - np.repeat(starts, shared)
    same = (
        codes[np.repeat(offsets[candidates], shared) + within]
        == (codes[np.repeat(offsets[candidates - 1], shared) + within])
    )
    found[candidates] = np.logical_and.reduceat(same, starts)
    return found
