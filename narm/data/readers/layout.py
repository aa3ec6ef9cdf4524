"""How a text file of events is laid out, and its text."""

from __future__ import annotations

from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

import pyarrow as pa

from narm.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLayout:
    """How a text file is laid out.

    Attributes:
        path: the file, compressed if its name ends in one of `COMPRESSIONS`.
        header: its columns, as line 1 spells them.
        has_header: whether line 1 does so; else they are known.
        delimiter: one character between the columns.
        doubled: whether that character is there twice; the header then has a column that is empty between any two.
        quoted: whether columns may be quoted, as in CSV.
        session: column of the session; None: a row is a session.
        item: column of the item, or of several.
        time: column of the time; None: the rows are in time order.
        target: column of the item that follows those of the row; None: there is none.
        day: column of the day on which a session is, if `time` is milliseconds since its start.
        item_separator: between the items of a row that holds several; None: a row is an event.
        time_separator: between the times of such a row; None: they share one time.
        ticks_per_second: unit of times that are numbers.
        skip_wrong: whether wrong rows are left out.
    """

    path: Path
    header: tuple[str, ...]
    delimiter: str
    quoted: bool
    session: str | None
    item: str
    time: str | None
    has_header: bool = True
    doubled: bool = False
    target: str | None = None
    day: str | None = None
    item_separator: str | None = None
    time_separator: str | None = None
    ticks_per_second: int = 1
    skip_wrong: bool = False

    def count(self, n_fields: int) -> int:
        """Columns of the file that so many fields are."""
        return (n_fields + 1) // 2 if self.doubled else n_fields

    @property
    def is_compressed(self) -> bool:
        """Whether the file is, by its name."""
        return self.path.suffix.lower() in COMPRESSIONS

    @property
    def used(self) -> tuple[str, ...]:
        """The columns that are read."""
        columns = (self.session, self.item, self.target, self.time, self.day)
        return tuple(column for column in columns if column is not None)


COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
"""pyarrow's name of the compression, by the last ending of a file's name."""

UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_first_line(path: Path) -> str:
    """Line 1 of a file, without its line end.

    Raises:
        InputError: the file is empty or not UTF-8.
    """
    with open_bytes(path) as start:
        if start.read(2) in UTF_16:
            raise InputError(f"{path}: UTF-16, not UTF-8 text; convert it: iconv -f UTF-16 -t UTF-8")
    with open_text(path) as file:
        line = file.readline().rstrip("\r\n")
    if not is_utf8(line):
        raise InputError(f"{path}, line 1: not UTF-8 text; convert the file: iconv -f ENCODING -t UTF-8")
    if not line.strip():
        raise InputError(f"{path}, line 1: empty; the first line must name the columns")
    return line


def open_bytes(path: Path) -> pa.NativeFile:
    """The file's bytes, unpacked."""
    return pa.input_stream(path, compression=COMPRESSIONS.get(path.suffix.lower()))


def open_text(path: Path) -> TextIO:
    """The file's text, unpacked; bytes that are not UTF-8 become surrogates, for `is_utf8` to find."""
    return TextIOWrapper(open_bytes(path), encoding="utf-8-sig", errors="surrogateescape", newline="")


def is_utf8(text: str) -> bool:
    """Whether no byte of a text that `open_text` read was anything but UTF-8."""
    return text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text)
