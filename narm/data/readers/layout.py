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

KINDS = {
    b"\xff\xfe": "UTF-16, not UTF-8 text; convert it: iconv -f UTF-16 -t UTF-8",
    b"\xfe\xff": "UTF-16, not UTF-8 text; convert it: iconv -f UTF-16 -t UTF-8",
    b"PAR1": "a Parquet file, not text; call it .parquet",
    b"\x1f\x8b": "packed by gzip; call it .gz",
    b"BZh": "packed by bzip2; call it .bz2",
    b"\x28\xb5\x2f\xfd": "packed by Zstandard; call it .zst",
    b"\xfd7zXZ\x00": "packed by xz; unpack it",
    b"PK\x03\x04": "a zip archive or an Excel file, not text; unpack it, or save it as CSV",
    b"SQLite format 3\x00": "an SQLite database, not text; write the events as CSV or Parquet",
}
"""What a file is that is no text in UTF-8, and what to do, by its first bytes."""

_LONGEST_START = max(map(len, KINDS))


def read_first_line(path: Path) -> str:
    """Line 1 of a file, without its line end.

    Raises:
        InputError: the file is empty or not UTF-8; the message says what it is, as far as its first bytes do.
    """
    with open_bytes(path) as file:
        start = file.read(_LONGEST_START)
    for first_bytes, kind in KINDS.items():
        if start.startswith(first_bytes):
            once_more = " once more" if kind.startswith("packed") and path.suffix.lower() in COMPRESSIONS else ""
            raise InputError(f"{path}: {kind}{once_more}")
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
