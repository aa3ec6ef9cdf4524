"""CSV, TSV, and the tab-separated `.txt` of GRU4Rec and session-rec: one event a line, with or without a header."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from narm.config import DataConfig
from narm.data.readers.columns import Columns, find_columns, is_value, plain_name, with_columns
from narm.data.readers.event_table import TICKS, EventTable
from narm.data.readers.layout import TextLayout, read_first_line
from narm.data.readers.text import read_text
from narm.errors import InputError

DELIMITERS = "\t,;|"
DELIMITERS_OF_VALUES = (*DELIMITERS, "::", " ")
"""Those of files without a header, whose values, unlike names, could hold any of them."""

SEPARATORS = "tab, comma, ;, |"

DIGINETICA = ("sessionid", "userid", "itemid", "timeframe", "eventdate")
"""Diginetica's `train-item-views.csv`, its names as `plain_name` has them: the owners write `sessionId`, copies of it
`session_id`. `timeframe` is milliseconds since the session's start, and orders its events."""

YOOCHOOSE = ("session_id", "timestamp", "item_id", "category")
"""`yoochoose-clicks.dat`, which has no header."""

NO_NAME = "_"
"""In the option `columns`: a column that is not used."""


def read_delimited(path: Path, config: DataConfig) -> EventTable:
    """Read a CSV, TSV or text file; the delimiter is found in its first line.

    Raises:
        InputError: line 1 does not name the columns, nor does the option `columns`; or as `find_columns` and
            `read_text`.
    """
    line = read_first_line(path)
    if config.columns is not None:
        return _read_without_header(path, line, config.columns, config)
    delimiter = max(DELIMITERS, key=line.count)
    header = _split_header(line, delimiter, path)
    is_diginetica = _is_diginetica(header, config.time_column)
    if is_diginetica:
        config = config.model_copy(update={"time_column": header[3]})
    columns = _find_columns(header, config, path)
    events = read_text(
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
    return with_columns(events, columns, header, config, path)


def read_yoochoose(path: Path, config: DataConfig) -> EventTable:
    """Read the clicks of the RecSys Challenge 2015 as they were published; another `.dat` file as `read_delimited`.

    Raises:
        InputError: as `read_text`.
    """
    line = read_first_line(path)
    if config.columns is not None or not line[:1].isdigit() or line.count(",") != len(YOOCHOOSE) - 1:
        return read_delimited(path, config)
    events = read_text(
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
    taken = f"{path.name}: no header; read as yoochoose-clicks.dat: session, time, item, category"
    return replace(events, columns=YOOCHOOSE, taken=(taken,))


def _split_header(line: str, delimiter: str, path: Path) -> tuple[str, ...]:
    if delimiter not in line:
        raise (
            _no_header(path, line)
            if _is_data(line)
            else InputError(f"{path}, line 1: one column, '{line[:80]}'; columns are separated by {SEPARATORS}")
        )
    try:
        names = next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise InputError(f"{path}, line 1: {error}") from None
    return _named([name.strip() for name in names])


def _named(names: list[str]) -> tuple[str, ...]:
    """The names, with one for each column that has none: there may be several of these."""
    return tuple(name if name not in ("", NO_NAME) else f"column {n}" for n, name in enumerate(names, start=1))


def _find_columns(header: tuple[str, ...], config: DataConfig, path: Path) -> Columns:
    """The columns, if line 1 names them and is not data."""
    try:
        columns = find_columns(header, config, f"{path}, line 1")
    except InputError:
        if any(map(is_value, header)):
            raise _no_header(path, *header) from None
        raise
    if any(map(is_value, columns)):
        raise _no_header(path, *header)
    return columns


def _is_data(line: str) -> bool:
    return any(is_value(value) for delimiter in ("::", " ") for value in line.split(delimiter))


def _no_header(path: Path, *values: str) -> InputError:
    value = next((value for value in values if is_value(value)), values[0])
    names = "user_id,item_id,rating,timestamp"
    return InputError(
        f"{path}, line 1: looks like data ('{value[:80]}'), but must name the columns; name all of them in their order "
        f"with `columns`, e.g. --columns {names} for four, {NO_NAME} for one that is not used"
    )


def _read_without_header(path: Path, line: str, names: tuple[str, ...], config: DataConfig) -> EventTable:
    """Read a file whose every line is an event."""
    header = _named(list(names))
    delimiter = next((one for one in DELIMITERS_OF_VALUES if len(line.split(one)) == len(names)), None)
    if delimiter is None:
        raise InputError(
            f"{path}, line 1: not the {len(names)} columns of `columns`, separated by {SEPARATORS}, :: or space"
        )
    shared = set(line.split(delimiter)) & set(names)
    if shared:
        raise InputError(f"{path}, line 1: names the column '{min(shared)}' itself: leave `columns` out")
    columns = find_columns(header, config, "columns")
    doubled = delimiter == "::"
    if doubled:  # one colon separates, for pyarrow, and each second column is empty
        header = tuple(name for column in header for name in (column, f"after {column}"))[:-1]
    events = read_text(
        TextLayout(
            path=path,
            header=header,
            has_header=False,
            delimiter=delimiter[0],
            doubled=doubled,
            quoted=not doubled,
            **columns._asdict(),
            ticks_per_second=TICKS[config.time_unit],
            skip_wrong=config.bad_lines == "skip",
        )
    )
    return with_columns(events, columns, names, config, path)


def _is_diginetica(header: tuple[str, ...], time_column: str | None) -> bool:
    """Whether a time of the header is one within a session, and its day another column."""
    return tuple(map(plain_name, header)) == DIGINETICA and time_column in (None, header[3])
