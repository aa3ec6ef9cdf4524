"""Parquet files of events."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from narm.config import DataConfig
from narm.data.readers.columns import find_columns, require_own_names, with_columns
from narm.data.readers.event_table import TICKS, EventTable, encode
from narm.data.readers.ids import LARGEST_EXACT
from narm.data.readers.rows import kind_of, problem_of_time
from narm.data.readers.times import are_dates, as_times
from narm.errors import InputError


def read_parquet(path: Path, config: DataConfig) -> EventTable:
    """Read the three columns of a Parquet file, one at a time to spare memory.

    Raises:
        InputError: not a Parquet file, a column is missing or has a type that cannot be an id or a time,
            or a row has no id or no finite time and is not to be skipped; the message names the row, 1-based.
            Or no row is right.
    """
    require_own_names(config, path)
    try:
        names = pq.read_schema(path).names
        columns = find_columns(names, config, str(path))
        raw_times = _read_times(path, columns.time)
        problems = _problems_of_times(raw_times)
        times, ticks_per_second = as_times(_without(raw_times, problems), TICKS[config.time_unit])
        events = EventTable(
            sessions=_read_ids(path, columns.session),
            items=_read_ids(path, columns.item),
            times=times,
            ticks_per_second=ticks_per_second,
            of_dates=are_dates(raw_times),
        )
    except UnicodeDecodeError:
        raise InputError(f"{path}: a column's name is not UTF-8") from None
    except pa.ArrowException as error:
        raise InputError(f"{path}: not a Parquet file, or out of range: {str(error).splitlines()[0]}") from None
    if not events.is_sound:
        events = _of_right_rows(events, problems, path, skip_wrong=config.bad_lines == "skip")
    return with_columns(events, columns, names, config, path)


def _read_ids(path: Path, name: str) -> pa.ChunkedArray:
    ids = pq.read_table(path, columns=[name], read_dictionary=[name])[name]  # it does so for text alone
    kind = ids.type.value_type if pa.types.is_dictionary(ids.type) else ids.type
    if pa.types.is_integer(kind):
        return encode(_as_integers(ids))
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return encode(_whole_numbers(ids, name, path))
    if _is_text(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        encoded = encode(ids.cast(pa.dictionary(pa.int32(), pa.string())))
        for chunk in encoded.chunks:
            chunk.dictionary.validate(full=True)  # Parquet's text may be any bytes
        return encoded
    raise InputError(f"{path}: column '{name}' is {kind}; ids must be integers or text{_how_to_unfold(kind)}")


def _as_integers(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """As int64; hashes of 64 bits without a sign that do not fit as text, as in a CSV file."""
    try:
        return ids.cast(pa.int64())
    except pa.ArrowInvalid:
        return ids.cast(pa.string())


def _whole_numbers(ids: pa.ChunkedArray, name: str, path: Path) -> pa.ChunkedArray:
    """Floats as the integers that they are: pandas makes them of a column that has gaps."""
    floats = ids.cast(pa.float64()) if pa.types.is_floating(ids.type) else ids
    floats = pc.if_else(pc.is_finite(floats), floats, None) if pa.types.is_floating(floats.type) else floats
    if not pc.all(pc.equal(pc.floor(floats), floats), min_count=0).as_py():
        raise InputError(f"{path}: column '{name}' has ids that are not whole numbers; ids must be integers or text")
    largest = pc.max(pc.abs(floats)).as_py()
    exact = LARGEST_EXACT.get(ids.type.bit_width) if pa.types.is_floating(ids.type) else None
    if exact is not None and largest is not None and largest > exact:
        raise InputError(
            f"{path}: column '{name}' is {ids.type}, which loses the last digits of ids as large as {largest:.0f}: "
            "write them as integers or text"
        )
    return floats.cast(pa.int64())


def _read_times(path: Path, name: str) -> pa.ChunkedArray:
    times = pq.read_table(path, columns=[name])[name]
    if pa.types.is_dictionary(times.type):
        times = times.cast(times.type.value_type)
    if _is_text(times.type):
        return times.cast(pa.string())
    usable = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_timestamp, pa.types.is_date)
    if not any(is_of(times.type) for is_of in usable):
        unfold = _how_to_unfold(times.type)
        raise InputError(f"{path}: column '{name}' is {times.type}; times must be numbers or timestamps{unfold}")
    return times


def _is_text(kind: pa.DataType) -> bool:
    return any(is_of(kind) for is_of in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _how_to_unfold(kind: pa.DataType) -> str:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return "; a row is an event, so unfold the lists: pandas has DataFrame.explode"
    return "; write its field as a column" if pa.types.is_struct(kind) else ""


def _problems_of_times(times: pa.ChunkedArray) -> dict[int, str]:
    """What is wrong with times that are text, by row from 0; empty if they can all be read."""
    if not pa.types.is_string(times.type):
        return {}
    try:
        as_times(times, 1)
    except pa.ArrowInvalid:
        return _problems_one_by_one(times)
    return {}


def _problems_one_by_one(times: pa.ChunkedArray) -> dict[int, str]:
    problems, usual = {}, None
    for row, text in enumerate(times.to_pylist()):
        if text is None:
            continue
        problem = problem_of_time(text)
        if problem is None and usual not in (None, kind_of(text)):
            problem = f"'{text}' is {kind_of(text)}, unlike the time before, which is {usual}"
        if problem is None:
            usual = kind_of(text)
        else:
            problems[row] = problem
    return problems


def _without(times: pa.ChunkedArray, problems: dict[int, str]) -> pa.ChunkedArray:
    """The times, those with a problem as missing."""
    if not problems:
        return times
    return pa.chunked_array([[None if row in problems else text for row, text in enumerate(times.to_pylist())]])


def _of_right_rows(events: EventTable, of_times: dict[int, str], path: Path, *, skip_wrong: bool) -> EventTable:
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
    problem = next(problem for problem, wrong in problems.items() if wrong[row].as_py())
    if problem == "no finite time" and row in of_times:
        problem = f"time {of_times[row]}"
    first = f"{path}, row {row + 1}: {problem}"
    if n_wrong == len(events):
        raise InputError(f"{first}; no row is right")
    if not skip_wrong:
        rest = f"`bad_lines: skip` would leave out of {len(events):,}"
        raise InputError(f"{first}; {n_wrong:,} wrong in all, which {rest}")
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
