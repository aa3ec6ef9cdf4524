"""Event logs: who met which item when, in the order of the file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from narm.config import DataConfig
from narm.data.readers.atomic import read_atomic
from narm.data.readers.delimited import read_delimited
from narm.data.readers.parquet import read_parquet
from narm.errors import InputError

Times = NDArray[np.int64] | NDArray[np.float64]

FORMATS = (".inter", ".csv", ".tsv", ".txt", ".parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """A log of events in the order of its file, ids as dense codes in order of first appearance.

    Attributes:
        sessions: code of each event's session (RecBole's user), int32 [events].
        items: code of each event's item, int32 [events].
        times: int64 or float64 [events], as in the file; dates are int64 nanoseconds since 1970.
        session_ids: raw ids, int64 or string [sessions]; code c stands for `session_ids[c]`.
        item_ids: raw ids, int64 or string [items].
        of_users: whether it is an atomic file of users, whose session is all that a user ever did.
        atomic: whether it comes from an atomic file, where RecBole's order of ties applies.
    """

    sessions: NDArray[np.int32]
    items: NDArray[np.int32]
    times: Times
    session_ids: pa.Array
    item_ids: pa.Array
    of_users: bool = False
    atomic: bool = False

    def __len__(self) -> int:
        return len(self.items)

    def keep(self, mask: NDArray[np.bool_]) -> Events:
        """The events of a mask, bool [events], with codes that are dense again."""
        sessions, session_ids = _recode(self.sessions[mask], self.session_ids)
        items, item_ids = _recode(self.items[mask], self.item_ids)
        return replace(
            self,
            sessions=sessions,
            items=items,
            times=self.times[mask],
            session_ids=session_ids,
            item_ids=item_ids,
        )


def read_events(path: Path | str, config: DataConfig) -> Events:
    """Read a log whose name tells its format: .inter, .csv, .tsv, .txt (each also .gz) or .parquet.

    Args:
        path: a file, or a folder NAME with NAME.inter in it, as RecBole has it.
        config: column names and separators.
    Raises:
        InputError: no such file, an unknown format, or wrong content; the message names file and line.
    """
    path = _find_file(Path(path))
    kind = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    of_users = False
    try:
        if kind == ".inter":
            table, session_field = read_atomic(path, config)
            of_users = "session" not in session_field.lower()
        elif kind == ".parquet":
            table = read_parquet(path, config)
        elif kind in FORMATS:
            table = read_delimited(path, config)
        else:
            raise InputError(f"{path}: unknown format '{kind}'; known: {', '.join(FORMATS)}")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    if len(table) == 0:
        raise InputError(f"{path}: no events")
    return _as_events(table, of_users=of_users, atomic=kind == ".inter")


def _find_file(path: Path) -> Path:
    if path.is_dir():
        path = path / f"{path.resolve().name}.inter"
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    return path


def _as_events(table: pa.Table, *, of_users: bool, atomic: bool) -> Events:
    sessions, session_ids = _codes(table["session"])
    items, item_ids = _codes(table["item"])
    return Events(
        sessions=sessions,
        items=items,
        times=table["time"].to_numpy(),
        session_ids=session_ids,
        item_ids=item_ids,
        of_users=of_users,
        atomic=atomic,
    )


def _codes(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], pa.Array]:
    encoded = column.combine_chunks()
    return encoded.indices.to_numpy(), _integers_if_all(encoded.dictionary)


def _integers_if_all(ids: pa.Array) -> pa.Array:
    """Text ids as int64 when every one is an integer in its usual spelling: '7' is, '007' is not."""
    try:
        integers = ids.cast(pa.int64())
    except pa.ArrowInvalid:
        return ids
    return integers if integers.cast(ids.type).equals(ids) else ids


def _recode(codes: NDArray[np.int32], ids: pa.Array) -> tuple[NDArray[np.int32], pa.Array]:
    encoded = pa.array(codes).dictionary_encode()
    return encoded.indices.to_numpy(), ids.take(encoded.dictionary)
