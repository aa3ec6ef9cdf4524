"""A text file row by row: slow, and so only to see how it begins, and which rows are wrong when one is."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple, TextIO

import pyarrow as pa

from narm.data.readers.layout import TextLayout, is_utf8, open_bytes, open_text
from narm.data.readers.times import converts, has_zone, is_date, is_number

ROWS_AT_ONCE = 100_000

TimeKind = Literal["a number", "a date without a zone", "a date with a zone"]

Quoting = Literal["on one line", "over several lines", "doubtful"]
"""Where quoted values of a file end; doubtful: perhaps a quote is not closed, and rows would be taken for its text."""

_OPEN = "a quote in it is not closed"


class Row(NamedTuple):
    """A row of a text file: its 1-based line (the first one, if it has several) and its fields, or why it has none."""

    line: int
    fields: list[str]
    error: str | None = None


@dataclass(slots=True)
class WrongRows:
    """What is wrong in a file: how many rows, with the first of them what, and how many rows are right."""

    count: int = 0
    first: str = ""
    n_right: int = 0

    @property
    def advice(self) -> str:
        """How many are wrong, and how to go on without them if anything is left then."""
        rest = f", which `bad_lines: skip` would leave out of {self.count + self.n_right:,}" if self.n_right else ""
        return f"{self.count:,} wrong in all{rest}"


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
    usual: TimeKind | None = None
    for row in rows(layout):
        problem = row.error or problem_of(row.fields, layout)
        if not problem:
            kinds = [kind_of(text) for text in _times(row.fields, layout)]
            problem = _mixed(row.fields, kinds, layout, usual)
        if problem:
            wrong.count += 1
            wrong.first = wrong.first or f"{layout.path}, line {row.line}: {problem}"
            continue
        usual = kinds[0] if kinds else usual
        wrong.n_right += 1
        yield row.fields


def problem_of(fields: list[str], layout: TextLayout) -> str | None:
    """Say what is wrong with a row, or None."""
    if len(fields) != len(layout.header):
        return _problem_of_number(fields, layout)
    return _problem_of_ids(fields, layout) or _problem_of_times(fields, layout)


def _problem_of_number(fields: list[str], layout: TextLayout) -> str:
    expected = "the header has" if layout.has_header else "there should be"
    problem = f"{layout.count(len(fields))} columns where {expected} {layout.count(len(layout.header))}"
    if layout.has_header and len(fields) == len(layout.header) + 1 and not fields[-1]:
        problem += f"; it ends in a '{layout.delimiter}', and line 1 does not: add one there if all rows do"
    return problem


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
        if problem := problem_of_time(text):
            return f"{layout.time} {problem}"
    if layout.time_separator is not None and len(times) != len(_items(fields, layout)):
        return f"{len(times)} times for {len(_items(fields, layout))} items"
    return None


def problem_of_time(text: str) -> str | None:
    """Say what is wrong with a time, or None."""
    if is_number(text) or is_date(text):
        return None
    return f"'{text}' is not a finite number or an ISO 8601 time, such as 2019-10-01 07:30:00"


def kind_of(time: str) -> TimeKind:
    """Of a time that is right in itself; a column has one kind, as no rule says how others would compare."""
    if is_number(time):
        return "a number"
    return "a date with a zone" if has_zone(time) else "a date without a zone"


def _mixed(fields: list[str], kinds: Sequence[TimeKind], layout: TextLayout, usual: TimeKind | None) -> str | None:
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


class _Lines:
    """The lines of a file, some of which can be given back to be read anew."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._ahead: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._ahead.popleft() if self._ahead else next(self._file)
        self.taken.append(line)
        self.number += 1
        return line

    def give_back_all_but_first(self) -> None:
        self.number -= len(self.taken) - 1
        self._ahead.extendleft(reversed(self.taken[1:]))


def rows(layout: TextLayout) -> Iterator[Row]:
    """Each row below the header; blank lines are skipped, as pyarrow does.

    A quoted value may go over several lines. Where its quote is not closed, so that rows would be taken for its text,
    the line is wrong and the rows are read.
    """
    with open_text(layout.path) as file:
        lines = _Lines(file)
        if layout.has_header:
            next(lines, None)
        while True:
            lines.taken.clear()
            line = lines.number + 1
            try:
                fields = next(_fields(lines, layout))
                error = _OPEN if _is_open(lines.taken, layout) else None
            except StopIteration:
                return
            except csv.Error as failure:
                error = str(failure)
            if error:
                lines.give_back_all_but_first()
                yield Row(line, [], error)
            elif fields:
                yield Row(line, fields)


def quoting(layout: TextLayout) -> Quoting:
    """Whether quoted values go over several lines, judged by how many quotes each line has."""
    if not layout.quoted or not _has_quotes(layout):
        return "on one line"
    found: Quoting = "on one line"
    value: list[str] = []
    with open_text(layout.path) as file:
        if layout.has_header:
            file.readline()
        for line in file:
            if line.count('"') % 2 == 0:
                if value and _is_row(line, layout):
                    return "doubtful"
            elif not value:
                value, found = [line], "over several lines"
            elif _is_row(line, layout) and _is_row(value[0], layout):
                return "doubtful"
            else:
                value = []
    return "doubtful" if value else found


def _has_quotes(layout: TextLayout) -> bool:
    """Whether there are any; mostly there are none, which is found at the speed of the disk."""
    with open_bytes(layout.path) as file:
        return any(b'"' in block for block in iter(lambda: file.read(2**20), b""))


def _fields(lines: Iterator[str], layout: TextLayout, *, strict: bool = False) -> Iterator[list[str]]:
    quotes: Literal[0, 3] = csv.QUOTE_MINIMAL if layout.quoted else csv.QUOTE_NONE
    return csv.reader(lines, delimiter=layout.delimiter, quoting=quotes, strict=strict)


def _is_open(lines: list[str], layout: TextLayout) -> bool:
    """Whether a row of these lines has a quote that is not closed: the file ends in it, or it has whole rows in it."""
    if not layout.quoted or '"' not in lines[0]:
        return False
    if len(lines) == 1 and lines[0].count('"') % 2 == 0:
        return False
    try:
        next(_fields(iter(lines), layout, strict=True))
    except csv.Error as failure:
        if "unexpected end" in str(failure):
            return True
    if len(lines) == 1:
        return False
    is_row = [_is_row(line, layout) for line in lines]
    return any(is_row[1:-1]) or (is_row[0] and is_row[-1])


def _is_row(line: str, layout: TextLayout) -> bool:
    """Whether a line is a right row if quotes are nothing but characters."""
    if line.count(layout.delimiter) != len(layout.header) - 1:
        return False
    fields = line.rstrip("\r\n").split(layout.delimiter)
    if layout.time is not None and not any(map(str.isdigit, fields[layout.header.index(layout.time)])):
        return False  # as most text: what follows is slow
    return problem_of(fields, layout) is None
