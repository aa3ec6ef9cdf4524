"""Text files of events, read by pyarrow in blocks and in parallel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from narm.data.readers.event_table import NANOSECONDS, EventTable, encode, numbered
from narm.data.readers.examples import whole_sessions
from narm.data.readers.layout import TextLayout, open_bytes
from narm.data.readers.rows import Quoting, WrongRows, good_rows, problem_of, quoting, read_good_rows, rows
from narm.data.readers.times import DATE_TYPES, are_dates, as_times, converts, is_number
from narm.errors import InputError

# Larger blocks than pyarrow's 1 MiB: each block has a dictionary of ids of its own until they are unified.
BLOCK_BYTES = 16 * 2**20

IDS = pa.dictionary(pa.int32(), pa.string())

NANOSECONDS_A_MILLISECOND = NANOSECONDS // 1_000
LONGEST_SESSION = 2**31  # milliseconds; what is longer is no time within a session


def read_text(layout: TextLayout) -> EventTable:
    """Read sessions, items and times of a text file, in file order.

    Raises:
        InputError: a row is wrong, and wrong rows are not to be skipped; the message names its line. Or no row is
            right.
    """
    time_types = _time_types(layout)
    quotes = quoting(layout) if time_types else "doubtful"
    if quotes == "doubtful":
        time_types = ()  # pyarrow would take the lines below for one value, and lose them without a word
    for time_type in time_types:
        try:
            events = _events(_read_columns(layout, time_type, quotes), layout)
        except pa.ArrowInvalid:
            continue  # the failure itself would keep the columns alive
        if events.is_sound:
            return events
    return _read_row_by_row(layout)


def _read_row_by_row(layout: TextLayout) -> EventTable:
    """What pyarrow could not read at once: without its wrong rows, if that is wished."""
    if not layout.skip_wrong:
        wrong = WrongRows()
        for _ in good_rows(layout, wrong):
            pass
        if wrong.count:
            raise InputError(f"{wrong.first}; {wrong.advice}")
    table, wrong = read_good_rows(layout)
    if len(table) == 0:
        raise InputError(f"{wrong.first}; no row is right" if wrong.count else f"{layout.path}: no events below line 1")
    try:
        events = _events(table, layout)
    except pa.ArrowInvalid as error:
        raise InputError(f"{layout.path}: {str(error).splitlines()[0]}") from None
    notes = (f"dropped {wrong.count:,} wrong rows; the first: {wrong.first}",) if wrong.count else ()
    return replace(events, n_wrong=wrong.count, notes=(*notes, *events.notes))


def _read_columns(layout: TextLayout, time_type: pa.DataType, quotes: Quoting) -> pa.Table:
    types = {
        layout.session: IDS,
        layout.item: IDS if layout.item_separator is None else pa.string(),
        layout.target: pa.string(),
        layout.time: time_type if layout.time_separator is None else pa.string(),
        layout.day: pa.date32(),
    }
    return pa.csv.read_csv(
        open_bytes(layout.path) if layout.is_compressed else layout.path,  # which is a tenth faster
        read_options=pa.csv.ReadOptions(
            block_size=BLOCK_BYTES, column_names=list(layout.header), skip_rows=1 if layout.has_header else 0
        ),
        parse_options=pa.csv.ParseOptions(
            delimiter=layout.delimiter,
            quote_char='"' if layout.quoted else False,
            newlines_in_values=quotes == "over several lines",  # slower: blocks cannot be cut at any line end
        ),
        convert_options=pa.csv.ConvertOptions(
            column_types={name: types[name] for name in layout.used},
            include_columns=list(layout.used),
            null_values=[""],  # an id may well be "NA"
            strings_can_be_null=False,
        ),
    )


def _events(table: pa.Table, layout: TextLayout) -> EventTable:
    """The events of the rows, of which a row may hold several.

    Raises:
        pa.ArrowInvalid: something does not fit.
    """
    if layout.target is not None:
        return _of_examples(table, layout)
    items = table[layout.item]
    row_of_item = None
    if layout.item_separator is not None:
        items, row_of_item = _split(items, layout.item_separator)
    sessions = (
        pa.chunked_array([numbered(layout.path.name, pa.array(np.arange(1, len(table) + 1)))])
        if layout.session is None
        else table[layout.session]
    )
    if row_of_item is not None:
        sessions = sessions.take(row_of_item)
    sessions = encode(sessions)
    times, ticks_per_second = _times(table, layout, row_of_item, sessions)
    filled_up = () if row_of_item is None else _filled_up(items, row_of_item, layout)
    return EventTable(
        sessions=sessions,
        items=encode(items),
        times=times,
        ticks_per_second=ticks_per_second,
        of_dates=layout.time is not None and are_dates(table[layout.day or layout.time]),
        notes=filled_up,
    )


def _filled_up(items: pa.ChunkedArray, row_of_item: pa.Array, layout: TextLayout) -> tuple[str, ...]:
    """A note on rows that end in 0, with which programs fill up the shorter ones."""
    is_last = np.diff(row_of_item.to_numpy(), append=-1) != 0
    n_filled = int(np.count_nonzero(is_last & pc.equal(items, "0").to_numpy()))
    if n_filled < 2:
        return ()
    unless = "leave it out if it only fills them up"
    return (f"{layout.path.name}: 0 ends {n_filled:,} rows and is taken for an item; {unless}",)


def _times(
    table: pa.Table, layout: TextLayout, row_of_item: pa.Array | None, sessions: pa.ChunkedArray
) -> tuple[pa.ChunkedArray, int | None]:
    if layout.time is None:
        return pa.chunked_array([np.arange(len(sessions))]), None
    if layout.day is not None:
        return _times_of_day(table[layout.day], table[layout.time], sessions), NANOSECONDS
    times = table[layout.time]
    if row_of_item is not None:
        if layout.time_separator is None:
            times = times.take(row_of_item)
        else:
            times, row_of_time = _split(times, layout.time_separator)
            if not row_of_time.equals(row_of_item):
                raise pa.ArrowInvalid("a row has not as many times as items")
    return as_times(times, layout.ticks_per_second)


def _times_of_day(days: pa.ChunkedArray, times: pa.ChunkedArray, sessions: pa.ChunkedArray) -> pa.ChunkedArray:
    """Nanoseconds since 1970 of events with milliseconds since their session's start.

    When a session started is not known, only its day; midnight is taken for it. The few sessions of two days
    have that of their last row, as in the preprocessing of SR-GNN.
    """
    if days.type == pa.string():
        days = days.cast(pa.date32())
    if days.null_count or times.null_count or sessions.null_count:
        raise pa.ArrowInvalid("a row without a day, a time or a session")
    codes = sessions.combine_chunks()
    codes = (codes if isinstance(codes, pa.DictionaryArray) else codes.chunk(0)).indices.to_numpy()
    midnights = days.cast(pa.timestamp("ns")).cast(pa.int64()).to_numpy()
    midnight_of = np.empty(int(codes.max(initial=-1)) + 1, dtype=np.int64)
    midnight_of[codes] = midnights  # of equal indices the last one stays
    milliseconds = as_times(times, 1_000)[0].to_numpy()
    if milliseconds.dtype != np.int64 or (np.abs(milliseconds) >= LONGEST_SESSION).any():
        raise pa.ArrowInvalid("a time is no number of milliseconds")
    return pa.chunked_array([midnight_of[codes] + milliseconds * NANOSECONDS_A_MILLISECOND])


def _of_examples(table: pa.Table, layout: TextLayout) -> EventTable:
    """The sessions whose every prefix is a row, with the item that follows it."""
    prefixes, row_of_item = _split(table[layout.item], layout.item_separator or "")
    items = encode(pa.chunked_array([*prefixes.chunks, *table[layout.target].chunks])).combine_chunks()
    n_rows = len(table)
    rows_of_items = np.concatenate((row_of_item.to_numpy(), np.arange(n_rows)))
    order = np.argsort(rows_of_items, kind="stable")
    lengths = np.bincount(rows_of_items, minlength=n_rows)
    if lengths.min(initial=2) < 2:
        raise pa.ArrowInvalid("a row has no item before its target")
    return whole_sessions(items.take(pa.array(order)), np.append(0, np.cumsum(lengths)), layout.path)


def _split(texts: pa.ChunkedArray, separator: str) -> tuple[pa.ChunkedArray, pa.Array]:
    """The parts of all texts in one column, empty ones left out as RecBole does, and the row of each."""
    lists = pc.split_pattern(texts.combine_chunks(), separator)
    parts, rows = pc.list_flatten(lists), pc.list_parent_indices(lists)
    filled = pc.not_equal(parts, "")
    return pa.chunked_array([parts.filter(filled)]), rows.filter(filled)


def _time_types(layout: TextLayout) -> tuple[pa.DataType, ...]:
    """Types the time column may have, the most exact first, judged by the first row.

    Naming the type keeps pyarrow from guessing one block by block. None if that row is wrong.
    """
    first = next(rows(layout), None)
    if first is None:
        place = "below line 1, the header" if layout.has_header else "in it"
        raise InputError(f"{layout.path}: no events {place}")
    if first.error or problem_of(first.fields, layout):
        return ()
    if layout.time is None or layout.time_separator is not None:
        return (pa.string(),)
    text = first.fields[layout.header.index(layout.time)]
    if is_number(text):
        return (pa.int64(), pa.string()) if converts(text, pa.int64()) else (pa.string(),)
    return tuple(kind for kind in DATE_TYPES if converts(text, kind)) or (pa.string(),)
