"""A text file row by row: slow, and so only to see how it begins, and which rows are wrong when one is."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple

import pyarrow as pa

from narm.data.readers.layout import TextLayout, is_utf8, open_text
from narm.data.readers.times import UNZONED, converts, is_date, is_number

ROWS_AT_ONCE = 100_000

_TimeKind = Literal["a number", "a date without a zone", "a date with a zone"]


class Row(NamedTuple):
    """A row of a text file: its 1-based line (the last one, if it has several) and its fields, or why it has none."""

    line: int
    fields: list[str]
    error: str | None = None
    n_lines: int = 1


@dataclass(slots=True)
class WrongRows:
    """What is wrong in a file: how many rows, a row of several lines counting as so many, and with the first what."""

    count: int = 0
    first: str = ""


def read_good_rows(layout: TextLayout) -> tuple[pa.Table, WrongRows]:
    """The used columns of the rows that are right, as text, and what was left out."""
    wrong = WrongRows()
    places = [layout.header.index(name) for name in layout.used]
    schema = pa.schema([(name, pa.string()) for name in layout.used])
    good = good_rows(layout, wrong)
    chunks = [
        pa.table([pa.array([fields[place] for fields in some], pa.string()) for place in places], schema=schema)
        for some in iter(lambda: list(islice(good, ROWS_AT_ONCE)), [])
    ]
    return pa.concat_tables(chunks) if chunks else schema.empty_table(), wrong


def good_rows(layout: TextLayout, wrong: WrongRows) -> Iterator[list[str]]:
    """The fields of each row that is right; the others are counted in `wrong`."""
    usual: _TimeKind | None = None
    for row in rows(layout):
        problem = row.error or problem_of(row.fields, layout)
        if not problem:
            kinds = [_kind(text) for text in _times(row.fields, layout)]
            problem = _mixed(row.fields, kinds, layout, usual)
        if problem:
            wrong.count += row.n_lines
            wrong.first = wrong.first or f"{layout.path}, line {row.line}: {problem}"
            continue
        usual = kinds[0] if kinds else usual
        yield row.fields


def problem_of(fields: list[str], layout: TextLayout) -> str | None:
    """Say what is wrong with a row, or None."""
    if len(fields) != len(layout.header):
        expected = "the header has" if layout.has_header else "there should be"
        return f"{len(fields)} columns where {expected} {len(layout.header)}"
    return _problem_of_lines(fields, layout) or _problem_of_ids(fields, layout) or _problem_of_times(fields, layout)


def _problem_of_lines(fields: list[str], layout: TextLayout) -> str | None:
    """A quote that nobody closed swallows the lines below it: they must not be lost without a word."""
    for name, text in zip(layout.header, fields, strict=True):
        if "\n" in text or "\r" in text:
            return f"{name} goes over several lines: a quote in it is not closed; a row is one line"
    return None


def _problem_of_ids(fields: list[str], layout: TextLayout) -> str | None:
    for name in (layout.session, layout.item, layout.target):
        if name is None:
            continue
        text = fields[layout.header.index(name)]
        if not is_utf8(text):
            return f"{name} is not UTF-8 text"
        if not text and (name != layout.item or layout.item_separator is None):
            return f"{name} is empty"
    if layout.target is not None and not _items(fields, layout):
        return f"{layout.item} is empty: no item before the {layout.target}"
    return None


def _problem_of_times(fields: list[str], layout: TextLayout) -> str | None:
    times = _times(fields, layout)
    if layout.day is not None:
        day = fields[layout.header.index(layout.day)]
        if not converts(day, pa.date32()):
            return f"{layout.day} '{day}' is not a date such as 2016-05-09"
        if not converts(times[0], pa.int32()):
            return f"{layout.time} '{times[0]}' is not a number of milliseconds"
    for text in times:
        if not is_number(text) and not is_date(text):
            return f"{layout.time} '{text}' is not a finite number or an ISO 8601 time"
    if layout.time_separator is not None and len(times) != len(_items(fields, layout)):
        return f"{len(times)} times for {len(_items(fields, layout))} items"
    return None


def _kind(time: str) -> _TimeKind:
    """Of a time that is right in itself; a column has one kind, as no rule says how others would compare."""
    if is_number(time):
        return "a number"
    return "a date without a zone" if converts(time, UNZONED) else "a date with a zone"


def _mixed(fields: list[str], kinds: Sequence[_TimeKind], layout: TextLayout, usual: _TimeKind | None) -> str | None:
    usual = usual or next(iter(kinds), None)
    for text, kind in zip(_times(fields, layout), kinds, strict=True):
        if kind != usual:
            return f"{layout.time} '{text}' is {kind}, unlike the time before, which is {usual}"
    return None


def _times(fields: list[str], layout: TextLayout) -> list[str]:
    if layout.time is None:
        return []
    return _parts(fields[layout.header.index(layout.time)], layout.time_separator)


def _items(fields: list[str], layout: TextLayout) -> list[str]:
    return _parts(fields[layout.header.index(layout.item)], layout.item_separator)


def _parts(text: str, separator: str | None) -> list[str]:
    return [text] if separator is None else [part for part in text.split(separator) if part]


def rows(layout: TextLayout) -> Iterator[Row]:
    """Each row below the header; blank lines are skipped, as pyarrow does."""
    with open_text(layout.path) as file:
        reader = csv.reader(
            file, delimiter=layout.delimiter, quoting=csv.QUOTE_MINIMAL if layout.quoted else csv.QUOTE_NONE
        )
        n_above = 1 if layout.has_header else 0
        if layout.has_header:
            file.readline()
        while True:
            read = reader.line_num
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(reader.line_num + n_above, [], str(error), n_lines=reader.line_num - read)
            else:
                if fields:
                    yield Row(reader.line_num + n_above, fields, n_lines=reader.line_num - read)
