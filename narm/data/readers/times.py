"""Times as integers or floats in which nothing of their order is lost."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from narm.data.readers.event_table import NANOSECONDS

UNZONED = pa.timestamp("ns")
DATE_TYPES = (UNZONED, pa.timestamp("ns", "UTC"))

# Float64 distinguishes any two decimals of 15 digits, and the point is a character too.
SURELY_EXACT = 15

DECIMAL_PLACES = (3, 6, 9, 12, 15, 18)


@dataclass(frozen=True)
class _Spelling:
    """A way to spell times that is not ISO 8601, and what to put in its place."""

    pattern: str
    iso: str
    is_text: bool = False

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile(re.escape(self.pattern) if self.is_text else self.pattern)

    def respell(self, text: str) -> str:
        """One time in ISO 8601."""
        return self._regex.sub(self.iso, text)

    def respell_all(self, texts: pa.Array) -> pa.Array:
        """A column of times in ISO 8601."""
        replace = pc.replace_substring if self.is_text else pc.replace_substring_regex  # the latter is six times slower
        return replace(texts, self.pattern, self.iso)


SPELLINGS = (
    _Spelling(r" ([+-][0-9]{2}:?[0-9]{2}) [A-Z]{2,5}$", r"\1"),  # 2019-10-01 00:00:00 +0000 UTC, as Go prints them
    _Spelling(" UTC", "Z", is_text=True),  # shop logs, BigQuery
    _Spelling(" GMT", "Z", is_text=True),
    _Spelling(r" ([+-][0-9]{2}(:?[0-9]{2})?)$", r"\1"),
    _Spelling(r"^([0-9]{4})/([0-9]{2})/([0-9]{2})", r"\1-\2-\3"),
    _Spelling(r"(:[0-9]{2}),([0-9]+)", r"\1.\2"),  # a decimal comma, as Java's and Python's loggers write
)


def as_times(column: pa.ChunkedArray, ticks_per_second: int) -> tuple[pa.ChunkedArray, int]:
    """A column of times as int64 or float64, and their ticks a second.

    Args:
        column: integers, floats, decimals, timestamps, dates, or text of any of these.
        ticks_per_second: unit of times that are numbers; dates become nanoseconds since 1970.
    Raises:
        pa.ArrowInvalid: a time does not fit, or is none.
    """
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.string())
    if pa.types.is_string(column.type):
        column, scale = _parsed(column)
        ticks_per_second *= scale
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        nanoseconds = column.cast(pa.timestamp("ns", getattr(column.type, "tz", None)))
        return nanoseconds.cast(pa.int64()), NANOSECONDS
    return column.cast(pa.float64() if pa.types.is_floating(column.type) else pa.int64()), ticks_per_second


def are_dates(column: pa.ChunkedArray) -> bool:
    """Whether a column that `as_times` takes is one of dates, judged by the first that is there."""
    if pa.types.is_string(column.type):
        first = pc.first(column).as_py()
        return first is not None and not is_number(first)
    return bool(pa.types.is_timestamp(column.type) or pa.types.is_date(column.type))


def is_number(text: str) -> bool:
    """Whether pyarrow reads that text as a finite number."""
    return converts(text, pa.float64()) and math.isfinite(float(text))


def is_date(text: str) -> bool:
    """Whether that text is a time in ISO 8601 or near it, of the years that nanoseconds reach."""
    return any(converts(iso(text), kind) for kind in DATE_TYPES)


def has_zone(text: str) -> bool:
    """Whether a date says its zone."""
    return not converts(iso(text), UNZONED)


def iso(text: str) -> str:
    """A time in ISO 8601, if it is in one of `SPELLINGS`; else as it is."""
    for spelling in SPELLINGS:
        text = spelling.respell(text)
    return text


def converts(text: str, to: pa.DataType) -> bool:
    """Whether pyarrow reads that text as that type."""
    try:
        pa.scalar(text).cast(to)
    except (pa.ArrowInvalid, UnicodeEncodeError):
        return False
    return True


def _parsed(texts: pa.ChunkedArray) -> tuple[pa.ChunkedArray, int]:
    """Text as numbers or timestamps, and by how much the numbers are scaled."""
    first = pc.first(texts).as_py()
    if first is None or is_number(first):
        return _numbers(texts)
    of_first = [spelling for spelling in SPELLINGS if spelling.respell(first) != first]
    for spellings in (of_first, SPELLINGS):
        for kind in DATE_TYPES:
            try:
                return _dates(texts, spellings, kind), 1
            except pa.ArrowInvalid as failure:
                reason = str(failure).splitlines()[0]
    raise pa.ArrowInvalid(reason)


def _dates(texts: pa.ChunkedArray, spellings: Sequence[_Spelling], kind: pa.DataType) -> pa.ChunkedArray:
    """Text as timestamps, chunk by chunk: another copy of all texts would be large."""
    dates = []
    for chunk in texts.chunks:
        for spelling in spellings:
            chunk = spelling.respell_all(chunk)
        dates.append(chunk.cast(kind))
    return pa.chunked_array(dates, kind)


def _numbers(texts: pa.ChunkedArray) -> tuple[pa.ChunkedArray, int]:
    """Integers if all are, else floats if these distinguish every two times, else integers of a smaller unit."""
    try:
        return texts.cast(pa.int64()), 1
    except pa.ArrowInvalid:
        floats = texts.cast(pa.float64())
    longest = pc.max(pc.binary_length(texts)).as_py()
    if longest <= SURELY_EXACT or pc.count_distinct(texts).as_py() == pc.count_distinct(floats).as_py():
        return floats, 1
    for places in DECIMAL_PLACES:
        try:
            return _unscaled(texts.cast(pa.decimal128(38, places))), 10**places
        except pa.ArrowInvalid:
            continue
    raise pa.ArrowInvalid("times of more digits than can be distinguished")


def _unscaled(decimals: pa.ChunkedArray) -> pa.ChunkedArray:
    """Decimals without their point, as int64: the low half of what pyarrow stores, if the high half is its sign."""
    array = decimals.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    halves = np.frombuffer(array.buffers()[1], dtype=np.int64).reshape(-1, 2)[array.offset :][: len(array)]
    if array.null_count or not np.array_equal(halves[:, 1], halves[:, 0] >> 63):
        raise pa.ArrowInvalid("out of range")
    return pa.chunked_array([pa.array(np.ascontiguousarray(halves[:, 0]))])
