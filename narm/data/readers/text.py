"""Text files of events, read by pyarrow in blocks and in parallel."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from narm.data.readers.columns import as_table, is_sound
from narm.data.readers.layout import TextLayout
from narm.data.readers.rows import DATE_TYPES, converts, first_wrong_line, is_number, problem_of, rows
from narm.errors import InputError

# Larger blocks than pyarrow's 1 MiB: each block has a dictionary of ids of its own until they are unified.
BLOCK_BYTES = 16 * 2**20

NUMBER_TYPES = (pa.int64(), pa.float64())
IDS = pa.dictionary(pa.int32(), pa.string())


def read_text(layout: TextLayout) -> pa.Table:
    """Read sessions, items and times of a text file.

    Returns:
        a table of `session`, `item` and `time`, one row an event, in file order.
    Raises:
        InputError: a row is wrong; the message names its line.
    """
    reason = "unreadable"
    for time_type in _time_types(layout):
        try:
            table = _expand(_read_columns(layout, time_type), layout)
        except pa.ArrowInvalid as failure:
            reason = str(failure).splitlines()[0]  # the failure itself would keep the columns alive
            continue
        if is_sound(table):
            return table
    raise InputError(first_wrong_line(layout) or f"{layout.path}: {reason}")


def _read_columns(layout: TextLayout, time_type: pa.DataType) -> pa.Table:
    session, item, time = layout.columns
    types = {
        session: IDS,
        item: IDS if layout.item_separator is None else pa.string(),
        time: time_type if layout.time_separator is None else pa.string(),
    }
    return pa.csv.read_csv(
        layout.path,
        read_options=pa.csv.ReadOptions(block_size=BLOCK_BYTES, column_names=list(layout.header), skip_rows=1),
        parse_options=pa.csv.ParseOptions(delimiter=layout.delimiter, quote_char='"' if layout.quoted else False),
        convert_options=pa.csv.ConvertOptions(
            column_types=types,
            include_columns=list(layout.columns),
            null_values=[""],  # an id may well be "NA"
            strings_can_be_null=False,
        ),
    )


def _expand(table: pa.Table, layout: TextLayout) -> pa.Table:
    """Make a row of several items as many events."""
    sessions, items, times = (table[name] for name in layout.columns)
    if layout.item_separator is not None:
        items, row_of_item = _split(items, layout.item_separator)
        if layout.time_separator is None:
            times = times.take(row_of_item)
        else:
            times, row_of_time = _split(times, layout.time_separator)
            if not row_of_time.equals(row_of_item):
                raise pa.ArrowInvalid("a row has not as many times as items")
            times = times.cast(pa.float64())
        sessions = sessions.take(row_of_item)
    return as_table(sessions, items, times)


def _split(texts: pa.ChunkedArray, separator: str) -> tuple[pa.ChunkedArray, pa.Array]:
    """The parts of all texts in one column, empty ones left out as RecBole does, and the row of each."""
    lists = pc.split_pattern(texts.combine_chunks(), separator)
    parts, rows = pc.list_flatten(lists), pc.list_parent_indices(lists)
    filled = pc.not_equal(parts, "")
    return pa.chunked_array([parts.filter(filled)]), rows.filter(filled)


def _time_types(layout: TextLayout) -> tuple[pa.DataType, ...]:
    """Types the time column may have, the most exact first, judged by the first row.

    Naming the type keeps pyarrow from guessing one block by block.
    """
    first = next(rows(layout), None)
    if first is None:
        raise InputError(f"{layout.path}: no events below line 1, the header")
    problem = problem_of(first[1], layout)
    if problem:
        raise InputError(f"{layout.path}, line {first[0]}: {problem}")
    if layout.time_separator is not None:
        return (pa.string(),)
    text = first[1][layout.header.index(layout.columns.time)]
    return tuple(t for t in (NUMBER_TYPES if is_number(text) else DATE_TYPES) if converts(text, t))
