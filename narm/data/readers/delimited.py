"""CSV, TSV, and the tab-separated `.txt` of GRU4Rec and session-rec: a header, then one event a line."""

from __future__ import annotations

import csv
from pathlib import Path

from narm.config import DataConfig
from narm.data.readers.columns import find_columns, plain_name
from narm.data.readers.event_table import TICKS, EventTable
from narm.data.readers.layout import TextLayout, read_header_line
from narm.data.readers.text import read_text
from narm.errors import InputError

DELIMITERS = "\t,;|"

DIGINETICA = ("sessionid", "userid", "itemid", "timeframe", "eventdate")
"""Diginetica's `train-item-views.csv`, its names as `plain_name` has them: the owners write `sessionId`, copies of it
`session_id`. `timeframe` is milliseconds since the session's start, and orders its events."""

YOOCHOOSE = ("session_id", "timestamp", "item_id", "category")
"""`yoochoose-clicks.dat`, which has no header."""


def read_delimited(path: Path, config: DataConfig) -> EventTable:
    """Read a CSV, TSV or text file; the delimiter is found in the header.

    Raises:
        InputError: as `find_columns` and `read_text`.
    """
    line = read_header_line(path)
    delimiter = max(DELIMITERS, key=line.count)
    if delimiter not in line:
        raise InputError(f"{path}, line 1: one column, '{line[:80]}'; columns are separated by tab, comma, ; or |")
    try:
        header = tuple(next(csv.reader([line], delimiter=delimiter)))
    except csv.Error as error:
        raise InputError(f"{path}, line 1: {error}") from None
    is_diginetica = _is_diginetica(header, config.time_column)
    if is_diginetica:
        config = config.model_copy(update={"time_column": header[3]})
    columns = find_columns(header, config, f"{path}, line 1")
    return read_text(
        TextLayout(
            path=path,
            header=header,
            delimiter=delimiter,
            quoted=True,
            **columns._asdict(),
            day=header[4] if is_diginetica else None,
            ticks_per_second=TICKS[config.time_unit],
            skip_wrong=config.bad_lines == "skip",
        )
    )


def _is_diginetica(header: tuple[str, ...], time_column: str | None) -> bool:
    """Whether a time of the header is one within a session, and its day another column."""
    return tuple(map(plain_name, header)) == DIGINETICA and time_column in (None, header[3])


def read_yoochoose(path: Path, config: DataConfig) -> EventTable:
    """Read the clicks of the RecSys Challenge 2015 as they were published, or with a header put above them.

    Raises:
        InputError: as `read_text`.
    """
    if not read_header_line(path)[:1].isdigit():
        return read_delimited(path, config)
    return read_text(
        TextLayout(
            path=path,
            header=YOOCHOOSE,
            has_header=False,
            delimiter=",",
            quoted=False,
            session="session_id",
            item="item_id",
            time="timestamp",
            ticks_per_second=TICKS[config.time_unit],
            skip_wrong=config.bad_lines == "skip",
        )
    )
