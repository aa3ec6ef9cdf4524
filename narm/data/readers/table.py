"""The table of readers: a format of event logs is its file here, and one entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from narm.config import DataConfig
from narm.data.readers.atomic import read_atomic
from narm.data.readers.delimited import read_delimited, read_yoochoose
from narm.data.readers.event_table import EventTable
from narm.data.readers.parquet import read_parquet
from narm.data.readers.pickled import is_pickle, read_pickle
from narm.errors import InputError

COMPRESSED = (".gz", ".zst")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A format of event logs.

    Attributes:
        suffixes: endings of its files' names; the first reader to list one reads it.
        read: the events of a file. It raises an InputError that names file and line, or an OSError.
        recognises: whether a file whose suffix an earlier reader lists is of this format after all.
    """

    suffixes: tuple[str, ...]
    read: Callable[[Path, DataConfig], EventTable]
    recognises: Callable[[Path], bool] | None = None


READERS = (
    Reader(suffixes=(".inter",), read=read_atomic),
    Reader(suffixes=(".csv", ".tsv", ".txt"), read=read_delimited),
    Reader(suffixes=(".dat",), read=read_yoochoose),
    Reader(suffixes=(".parquet",), read=read_parquet),
    Reader(suffixes=(".pkl", ".pickle", ".txt"), read=read_pickle, recognises=is_pickle),
)


def find_reader(path: Path) -> Reader:
    """The reader of a file, by the ending of its name before `.gz` or `.zst`.

    Raises:
        InputError: no reader has that ending; the message lists those that there are.
        OSError: the file cannot be read.
    """
    suffix = Path(path.stem).suffix if path.suffix in COMPRESSED else path.suffix
    candidates = [reader for reader in READERS if suffix in reader.suffixes]
    if not candidates:
        known = dict.fromkeys(known for reader in READERS for known in reader.suffixes)
        raise InputError(f"{path}: unknown format '{suffix}'; known: {', '.join(known)}")
    usual, *others = candidates
    return next((other for other in others if other.recognises and other.recognises(path)), usual)
