"""Parquet files of events."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from narm.config import DataConfig
from narm.data.readers.columns import find_columns
from narm.data.readers.event_table import TICKS, EventTable, encode
from narm.data.readers.times import as_times
from narm.errors import InputError


def read_parquet(path: Path, config: DataConfig) -> EventTable:
    """Read the three columns of a Parquet file, one at a time to spare memory.

    Raises:
        InputError: not a Parquet file, a column is missing or has a type that cannot be an id or a time,
            or a row has no id or no finite time and is not to be skipped; the message names the row, 1-based.
            Or no row is right.
    """
    try:
        columns = find_columns(pq.read_schema(path).names, config, str(path))
        times, ticks_per_second = as_times(_read_times(path, columns.time), TICKS[config.time_unit])
        events = EventTable(
            sessions=_read_ids(path, columns.session),
            items=_read_ids(path, columns.item),
            times=times,
            ticks_per_second=ticks_per_second,
        )
    except UnicodeDecodeError:
        raise InputError(f"{path}: a column's name is not UTF-8") from None
    except pa.ArrowException as error:
        raise InputError(f"{path}: not a Parquet file, or out of range: {str(error).splitlines()[0]}") from None
    return events if events.is_sound else _of_right_rows(events, path, skip_wrong=config.bad_lines == "skip")


def _read_ids(path: Path, name: str) -> pa.ChunkedArray:
    ids = pq.read_table(path, columns=[name], read_dictionary=[name])[name]  # it does so for text alone
    kind = ids.type.value_type if pa.types.is_dictionary(ids.type) else ids.type
    if pa.types.is_integer(kind):
        return encode(ids.cast(pa.int64()))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        encoded = encode(ids.cast(pa.dictionary(pa.int32(), pa.string())))
        for chunk in encoded.chunks:
            chunk.dictionary.validate(full=True)  # Parquet's text may be any bytes
        return encoded
    raise InputError(f"{path}: column '{name}' is {kind}; ids must be integers or text")


def _read_times(path: Path, name: str) -> pa.ChunkedArray:
    times = pq.read_table(path, columns=[name])[name]
    usable = (pa.types.is_integer, pa.types.is_floating, pa.types.is_timestamp, pa.types.is_date)
    if not any(is_of(times.type) for is_of in usable):
        raise InputError(f"{path}: column '{name}' is {times.type}; times must be numbers or timestamps")
    return times


def _of_right_rows(events: EventTable, path: Path, *, skip_wrong: bool) -> EventTable:
    """The events without the wrong rows, if that is wished."""
    problems = {
        "no session id": _is_missing(events.sessions),
        "no item id": _is_missing(events.items),
        "no finite time": _is_missing(events.times),
    }
    is_wrong = reduce(pc.or_, problems.values())
    n_wrong = pc.sum(is_wrong).as_py()
    if not n_wrong:
        return events  # an empty id is in the dictionary, but in no row
    row = pc.index(is_wrong, True).as_py()
    first = f"{path}, row {row + 1}: {next(problem for problem, wrong in problems.items() if wrong[row].as_py())}"
    if not skip_wrong:
        raise InputError(f"{first}; {n_wrong:,} wrong in all, which `bad_lines: skip` would leave out")
    if n_wrong == len(events):
        raise InputError(f"{first}; no row is right")
    right = pc.invert(is_wrong)
    return replace(
        events,
        sessions=_encode_anew(events.sessions.filter(right)),
        items=_encode_anew(events.items.filter(right)),
        times=events.times.filter(right),
        n_wrong=n_wrong,
        notes=(f"dropped {n_wrong:,} wrong rows; the first: {first}",),
    )


def _encode_anew(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Without the ids that a filter has taken away."""
    return encode(ids.cast(ids.type.value_type))


def _is_missing(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_floating(column.type):
        return pc.invert(pc.fill_null(pc.is_finite(column), False))
    return pc.fill_null(pc.equal(column.cast(pa.string()), ""), True)
