"""Event logs: who met which item when, in the order of the file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from narm.config import DataConfig
from narm.data.readers.event_table import EventTable
from narm.data.readers.ids import LostDigitsError, codes_and_ids
from narm.data.readers.layout import COMPRESSIONS
from narm.data.readers.odd_ids import notes_on_ids
from narm.data.readers.parts import files_of, joined
from narm.data.readers.table import find_reader
from narm.errors import InputError

Times = NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """A log of events in the order of its file, ids as dense codes in order of first appearance.

    Attributes:
        sessions: code of each event's session (RecBole's user), int32 [events].
        items: code of each event's item, int32 [events].
        times: int64 or float64 [events], as in the file; dates are int64 nanoseconds since 1970.
        ticks_per_second: unit of the times; None: they say what came first, and no more.
        session_ids: raw ids, int64 or string [sessions]; code c means `session_ids[c]`.
        item_ids: raw ids, int64 or string [items].
        of_dates: whether the times were dates, and not numbers in a unit that an option names.
        of_users: whether it is an atomic file of users, whose session is all that a user ever did.
        atomic: whether it comes from an atomic file, where RecBole's order of ties applies.
        n_wrong: rows of the file that were left out because they are wrong.
        notes: what a reader of results should know.
    """

    sessions: NDArray[np.int32]
    items: NDArray[np.int32]
    times: Times
    session_ids: pa.Array
    item_ids: pa.Array
    ticks_per_second: int | None = 1
    of_dates: bool = False
    of_users: bool = False
    atomic: bool = False
    n_wrong: int = 0
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    def keep(self, mask: NDArray[np.bool_]) -> Events:
        """The events of a mask, bool [events], with codes that are dense again."""
        sessions, session_ids = dense(self.sessions[mask], self.session_ids)
        items, item_ids = dense(self.items[mask], self.item_ids)
        return replace(
            self,
            sessions=sessions,
            items=items,
            times=self.times[mask],
            session_ids=session_ids,
            item_ids=item_ids,
        )


def read_events(path: Path | str, config: DataConfig) -> Events:
    """Read a log with the reader of its format (`narm.data.readers.table`), compressed or not, in one file or in parts.

    Args:
        path: a file; or a folder NAME with NAME.inter in it, as RecBole has it, or with the parts of a log.
        config: column names, separators, unit of time, and what becomes of wrong rows.
    Raises:
        InputError: no such file, an unknown format, or wrong content; the message names file and line.
    """
    path = Path(path)
    files = files_of(path)
    table = joined([_read(file, config) for file in files], files)
    if len(files) > 1:
        suffixes = "".join(files[0].suffixes[-1:])
        table = replace(table, taken=(*table.taken, f"{path.name}: {len(files):,} files, *{suffixes}, read as one log"))
    return _as_events(table, path)


def _read(file: Path, config: DataConfig) -> EventTable:
    try:
        table = find_reader(file).read(file, config)
    except OSError as error:
        reason = error.strerror or str(error)
        unpacking = "" if error.strerror or file.suffix.lower() not in COMPRESSIONS else "cannot be unpacked: "
        raise InputError(f"{file}: {unpacking}{reason.splitlines()[0] if reason else 'cannot be read'}") from None
    if len(table) == 0:
        raise InputError(f"{file}: no events")
    return table


def _as_events(table: EventTable, path: Path) -> Events:
    (sessions, session_ids), (items, item_ids) = _ids(table.sessions, path), _ids(table.items, path)
    return Events(
        sessions=sessions,
        items=items,
        times=table.times.to_numpy(),
        session_ids=session_ids,
        item_ids=item_ids,
        ticks_per_second=table.ticks_per_second,
        of_dates=table.of_dates,
        of_users=table.of_users,
        atomic=table.atomic,
        n_wrong=table.n_wrong,
        notes=(
            *table.notes,
            *table.taken,
            *notes_on_ids("session", session_ids, sessions, path.name),
            *notes_on_ids("item", item_ids, items, path.name),
        ),
    )


def _ids(column: pa.ChunkedArray, path: Path) -> tuple[NDArray[np.int32], pa.Array]:
    try:
        return codes_and_ids(column)
    except LostDigitsError as error:
        raise InputError(f"{path}: an id, {error}: write ids as integers or text") from None


def dense(codes: NDArray[np.int32], ids: pa.Array) -> tuple[NDArray[np.int32], pa.Array]:
    """Codes [events] in order of first appearance without gaps, and the ids of those that are left."""
    encoded = pa.array(codes).dictionary_encode()
    return encoded.indices.to_numpy(), ids.take(encoded.dictionary)
