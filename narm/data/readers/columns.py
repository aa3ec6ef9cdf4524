"""Which columns of a file name the session, the item and the time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from narm.config import DataConfig, did_you_mean
from narm.errors import InputError

# Dates without a time of day are left out on purpose: they do not order the events of a session.
USUAL_NAMES = {
    "session": ("sessionid", "session", "userid", "user", "visitorid"),
    "item": ("itemid", "item", "productid", "movieid", "articleid"),
    "time": ("timestamp", "time", "ts", "datetime"),
}


class Columns(NamedTuple):
    """Names of the three columns, as the file spells them."""

    session: str
    item: str
    time: str


def find_columns(names: Sequence[str], config: DataConfig, where: str, *, prefer: str = "session") -> Columns:
    """Find the session, item and time columns: those the options name, else those usually named so.

    Args:
        names: the file's columns.
        config: its `session_column`, `item_column` and `time_column` are looked at.
        where: the file (and line) that errors name.
        prefer: "session" or "user", when a file has both.
    Raises:
        InputError: a column is not there or not recognised; the message names the columns and the option.
    """
    repeated = {name for name in names if list(names).count(name) > 1}
    if repeated:
        raise InputError(f"{where}: column '{repeated.pop()}' stands twice")
    return Columns(*(_find(role, names, config, where, prefer) for role in USUAL_NAMES))


def _find(role: str, names: Sequence[str], config: DataConfig, where: str, prefer: str) -> str:
    option = f"{role}_column"
    wanted: str | None = getattr(config, option)
    if wanted is not None:
        if wanted not in names:
            raise InputError(f"{where}: no column '{wanted}' ({option}){did_you_mean(wanted, names)}")
        return wanted
    spelled = {name.lower().replace("_", "").replace("-", "").replace(" ", ""): name for name in names}
    usual = sorted(USUAL_NAMES[role], key=lambda name: not name.startswith(prefer))
    for name in usual:
        if name in spelled:
            return spelled[name]
    raise InputError(f"{where}: no usual {role} column; name one with {option}: {', '.join(names)}")


def as_table(sessions: pa.ChunkedArray, items: pa.ChunkedArray, times: pa.ChunkedArray) -> pa.Table:
    """What every reader returns: `session` and `item` dictionary-encoded, `time` as int64 or float64.

    Args:
        sessions: ids, dictionary-encoded or not.
        items: ids, likewise.
        times: integers, floats, or timestamps and dates, which become nanoseconds since 1970.
    Raises:
        pa.ArrowInvalid: a time does not fit.
    """
    if pa.types.is_timestamp(times.type) or pa.types.is_date(times.type):
        times = times.cast(pa.timestamp("ns", getattr(times.type, "tz", None)))
    times = times.cast(pa.float64() if pa.types.is_floating(times.type) else pa.int64())
    return pa.table({"session": encode(sessions), "item": encode(items), "time": times})


def encode(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dictionary-encode ids, codes in order of first appearance; all chunks share one dictionary."""
    if pa.types.is_dictionary(ids.type):
        return ids.unify_dictionaries()
    # Encoded chunk by chunk, each would hold a dictionary of all ids so far.
    return pa.chunked_array([ids.combine_chunks().dictionary_encode()])


def is_sound(table: pa.Table) -> bool:
    """Whether every event has an id of a session, an id of an item, and a finite time."""
    if any(column.null_count for column in table.columns):
        return False
    if pa.types.is_floating(table["time"].type) and not pc.all(pc.is_finite(table["time"])).as_py():
        return False
    return not any(_has_empty_text(table[name]) for name in ("session", "item"))


def _has_empty_text(ids: pa.ChunkedArray) -> bool:
    if ids.num_chunks == 0 or not pa.types.is_string(ids.type.value_type):
        return False
    return bool(pc.index(ids.chunk(0).dictionary, "").as_py() >= 0)
