"""The table of readers: a format of event logs is its file here, and one entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from narm.config import DataConfig
from narm.data.readers.atomic import read_atomic
from narm.data.readers.delimited import read_delimited, read_yoochoose
from narm.data.readers.event_table import EventTable
from narm.data.readers.layout import COMPRESSIONS, open_bytes
from narm.data.readers.parquet import read_parquet
from narm.data.readers.pickled import is_pickle, read_pickle
from narm.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A format of event logs.

    Attributes:
        suffixes: endings of its files' names, in lower case; the first reader to list one reads it.
        read: the events of a file. It raises an InputError that names file and line, or an OSError.
        recognises: whether a file whose suffix an earlier reader lists is of this format after all.
    """

    suffixes: tuple[str, ...]
    read: Callable[[Path, DataConfig], EventTable]
    recognises: Callable[[Path], bool] | None = None


def _is_parquet(path: Path) -> bool:
    with open_bytes(path) as file:
        return bool(file.read(4) == b"PAR1")


READERS = (
    Reader(suffixes=(".inter",), read=read_atomic),
    Reader(suffixes=(".csv", ".tsv", ".txt", ""), read=read_delimited),
    Reader(suffixes=(".dat", ".data"), read=read_yoochoose),
    Reader(suffixes=(".parquet", ".pq", ""), read=read_parquet, recognises=_is_parquet),
    Reader(suffixes=(".pkl", ".pickle", ".txt"), read=read_pickle, recognises=is_pickle),
)

_UNPACK = "unpack it, or pack the one file in it as .gz"
_AS_TABLE = "write it as CSV or Parquet, an event a row: with pandas, to_parquet"
INSTEAD = {
    **dict.fromkeys((".zip", ".xz", ".7z", ".rar", ".tar", ".tgz", ".lz4"), _UNPACK),
    ".jsonl": "write it as CSV or Parquet, an event a row: pandas has read_json(lines=True), explode and to_parquet",
    ".json": "write it as CSV or Parquet, an event a row: pandas has read_json, explode and to_parquet",
    **dict.fromkeys((".feather", ".arrow", ".orc", ".h5", ".npy", ".npz", ".db", ".sqlite"), _AS_TABLE),
    **dict.fromkeys((".xls", ".xlsx", ".ods"), "save it as CSV"),
}
"""What to do with files that no reader takes, by their endings."""


def find_reader(path: Path) -> Reader:
    """The reader of a file, by the ending of its name, in any case, before that of its compression.

    Raises:
        InputError: no reader has that ending; the message lists those that there are.
        OSError: the file cannot be read.
    """
    suffix = log_suffix(path)
    candidates = [reader for reader in READERS if suffix in reader.suffixes]
    if not candidates:
        known = ", ".join(dict.fromkeys(known for reader in READERS for known in reader.suffixes if known))
        instead = f"; {INSTEAD[suffix]}" if suffix in INSTEAD else ""
        raise InputError(f"{path}: unknown format '{suffix}'; known: {known}, and these as {_packed()}{instead}")
    usual, *others = candidates
    return next((other for other in others if other.recognises and other.recognises(path)), usual)


def log_suffix(path: Path) -> str:
    """The ending that says the format, in lower case; empty if there is none."""
    return (Path(path.stem).suffix if path.suffix.lower() in COMPRESSIONS else path.suffix).lower()


def _packed() -> str:
    return ", ".join(COMPRESSIONS)
