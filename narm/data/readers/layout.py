"""How a text file of events is laid out, and its text."""

from __future__ import annotations

from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

import pyarrow as pa

from narm.data.readers.columns import Columns
from narm.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLayout:
    """How a text file is laid out.

    Attributes:
        path: the file, gzipped if its name ends in `.gz`.
        header: its columns, as line 1 spells them.
        delimiter: one character between the columns.
        quoted: whether columns may be quoted, as in CSV.
        columns: the columns that matter, spelled as in `header`.
        item_separator: between the items of a row that holds several; None: a row is an event.
        time_separator: between the times of such a row; None: they share one time.
    """

    path: Path
    header: tuple[str, ...]
    delimiter: str
    quoted: bool
    columns: Columns
    item_separator: str | None = None
    time_separator: str | None = None


def read_header_line(path: Path) -> str:
    """Line 1 of a file, without its line end.

    Raises:
        InputError: the file is empty or not UTF-8.
    """
    with open_text(path) as file:
        line = file.readline().rstrip("\r\n")
    if not is_utf8(line):
        raise InputError(f"{path}, line 1: not UTF-8 text")
    if not line.strip():
        raise InputError(f"{path}, line 1: empty; the first line must name the columns")
    return line


def open_text(path: Path) -> TextIO:
    """The file's text, unzipped; bytes that are not UTF-8 become surrogates, for `is_utf8` to find."""
    return TextIOWrapper(pa.input_stream(path), encoding="utf-8-sig", errors="surrogateescape", newline="")


def is_utf8(text: str) -> bool:
    """Whether no byte of a text that `open_text` read was anything but UTF-8."""
    return text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text)
