"""CSV, TSV, and the tab-separated `.txt` of GRU4Rec and session-rec: a header, then one event a line."""

from __future__ import annotations

import csv
from pathlib import Path

from narm.config import DataConfig
from narm.data.readers.columns import find_columns
from narm.data.readers.event_table import TICKS, EventTable
from narm.data.readers.layout import TextLayout, read_header_line
from narm.data.readers.text import read_text
from narm.errors import InputError

DELIMITERS = "\t,;|"

DIGINETICA = ("session_id", "user_id", "item_id", "timeframe", "eventdate")
"""Diginetica's `train-item-views.csv`; `timeframe` is milliseconds since the session's start, and orders its events."""

YOOCHOOSE = ("session_id", "timestamp", "item_id", "category")
"""`yoochoose-clicks.dat`, which has no header."""


def read_delimited(path: Path, config: DataConfig) -> EventTable:
    """Read a CSV, TSV or text file; the header tells its delimiter.

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
    is_diginetica = header == DIGINETICA and config.time_column is None
    columns = find_columns(
        header,
        config.model_copy(update={"time_column": "timeframe"}) if is_diginetica else config,
        f"{path}, line 1",
    )
    return read_text(
        TextLayout(
            path=path,
            header=header,
            delimiter=delimiter,
            quoted=True,
            **columns._asdict(),
            day="eventdate" if is_diginetica else None,
            ticks_per_second=TICKS[config.time_unit],
            skip_wrong=config.bad_lines == "skip",
        )
    )


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
