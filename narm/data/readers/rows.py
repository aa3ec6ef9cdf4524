"""A text file row by row: slow, and so only to see how it begins and to say which line is wrong."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator

import pyarrow as pa

from narm.data.readers.layout import TextLayout, is_utf8, open_text

DATE_TYPES = (pa.timestamp("ns"), pa.timestamp("ns", "UTC"))


def first_wrong_line(layout: TextLayout) -> str | None:
    """Say what is wrong with the first wrong row, or None if each row is fine by itself."""
    dated: bool | None = None
    line = 1
    try:
        for line, fields in rows(layout):
            problem = problem_of(fields, layout) or _mixed(fields, layout, dated)
            if problem:
                return f"{layout.path}, line {line}: {problem}"
            dated = any(not is_number(text) for text in _times(fields, layout))
    except csv.Error as error:
        return f"{layout.path}, line {line + 1}: {error}"
    return None


def problem_of(fields: list[str], layout: TextLayout) -> str | None:
    """Say what is wrong with a row, or None."""
    if len(fields) != len(layout.header):
        return f"{len(fields)} columns where the header has {len(layout.header)}"
    for name in (layout.columns.session, layout.columns.item):
        text = fields[layout.header.index(name)]
        if not text:
            return f"{name} is empty"
        if not is_utf8(text):
            return f"{name} is not UTF-8 text"
    times = _times(fields, layout)
    for text in times:
        if not is_number(text) and not any(converts(text, date) for date in DATE_TYPES):
            return f"{layout.columns.time} '{text}' is not a finite number or an ISO 8601 time"
    items = _parts(fields[layout.header.index(layout.columns.item)], layout.item_separator)
    if layout.time_separator is not None and len(times) != len(items):
        return f"{len(times)} times for {len(items)} items"
    return None


def _mixed(fields: list[str], layout: TextLayout, dated: bool | None) -> str | None:
    for text in _times(fields, layout):
        if dated is not None and dated is is_number(text):
            return f"{layout.columns.time} '{text}' is a {'number' if dated else 'date'}, unlike the line before"
    return None


def _times(fields: list[str], layout: TextLayout) -> list[str]:
    return _parts(fields[layout.header.index(layout.columns.time)], layout.time_separator)


def _parts(text: str, separator: str | None) -> list[str]:
    return [text] if separator is None else [part for part in text.split(separator) if part]


def is_number(text: str) -> bool:
    """Whether pyarrow reads that text as a finite number."""
    return converts(text, pa.float64()) and math.isfinite(float(text))


def converts(text: str, to: pa.DataType) -> bool:
    """Whether pyarrow reads that text as that type."""
    try:
        pa.scalar(text).cast(to)
    except (pa.ArrowInvalid, UnicodeEncodeError):
        return False
    return True


def rows(layout: TextLayout) -> Iterator[tuple[int, list[str]]]:
    """1-based line and fields of each row below the header; blank lines are skipped, as pyarrow does."""
    with open_text(layout.path) as file:
        reader = csv.reader(
            file, delimiter=layout.delimiter, quoting=csv.QUOTE_MINIMAL if layout.quoted else csv.QUOTE_NONE
        )
        next(reader, None)
        for fields in reader:
            if fields:
                yield reader.line_num, fields
