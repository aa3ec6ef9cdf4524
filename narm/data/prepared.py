"""Prepared datasets: a folder of Parquet files with a card that says what they are and where they come from."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from narm.data.readers.event_table import NANOSECONDS
from narm.data.session_log import SessionLog
from narm.errors import InputError
from narm.machine.files import atomic_file, write_text
from narm.text.text_file import read_text
from narm.text.validation import explain

CARD = "card.json"
PARTS = ("train", "valid", "test")
COLUMNS = {"session_column": "session_id", "item_column": "item_id", "time_column": "timestamp"}


class FileDigest(BaseModel):
    """A file as it was, or several one after the other: the size in bytes, and the SHA-256 in hex."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: int
    sha256: str

    @classmethod
    def of(cls, *paths: Path) -> FileDigest:
        """Read the files through."""
        digest = hashlib.sha256()
        for path in paths:
            with path.open("rb") as file:
                for block in iter(lambda: file.read(2**20), b""):
                    digest.update(block)
        return cls(bytes=sum(path.stat().st_size for path in paths), sha256=digest.hexdigest())


class Card(BaseModel):
    """What a prepared dataset is.

    Attributes:
        format: format of the folder; another one is refused.
        name: name of the dataset.
        recipe: by whose rules it was made; None: by the options alone.
        options: the data options that are not at their defaults.
        source: name of the file that it was made of, or of the folder of its parts.
        source_digest: digest of that file, or of the parts in the order of their names.
        held_out_digests: digests of the files of validation and test sessions, if there were any, by option:
            `valid_file`, `test_file`.
        counts: events read, kept and dropped; sessions, events and targets of each part; items.
        published: the counts that the recipe's authors found in the whole source.
        notes: what was dropped, and why.
        files: by name, relative to the folder.
        fingerprint: fingerprint of the splits as they are read back, with `valid_share` 0.
        versions: versions of the packages that made it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    name: str
    recipe: str | None
    options: Mapping[str, Any]
    source: str
    source_digest: FileDigest
    held_out_digests: Mapping[str, FileDigest] = {}
    counts: Mapping[str, int]
    published: Mapping[str, int]
    notes: tuple[str, ...]
    files: Mapping[str, FileDigest]
    fingerprint: str
    versions: Mapping[str, str]

    def save(self, folder: Path) -> None:
        """Write it into the dataset's folder."""
        write_text(folder / CARD, self.model_dump_json(indent=2) + "\n")


def is_prepared(path: Path) -> bool:
    """Whether it is the folder of a prepared dataset."""
    return (path / CARD).is_file()


def part_file(part: str) -> str:
    """Name of the file of a part, "train", "valid" or "test"."""
    return f"{part}.parquet"


def files_as_options(folder: Path, parts: Collection[str]) -> dict[str, Any]:
    """The data options that read the files of a prepared dataset, of which `parts` are there."""
    options = ("dataset", "valid_file", "test_file")
    files = {
        option: str(folder / part_file(part)) for option, part in zip(options, PARTS, strict=True) if part in parts
    }
    return {**files, **COLUMNS}


def read_card(folder: Path) -> Card:
    """The card of a prepared dataset, whose files are as it says.

    Raises:
        InputError: the card is none, or a file is missing or another one.
    """
    path = folder / CARD
    try:
        card = Card.model_validate_json(read_text(path))
    except ValidationError as error:
        raise InputError(
            f"{path}: not the card of a prepared dataset: {explain(error, known=Card.model_fields)}"
        ) from None
    for part in ("train", "test"):
        if part_file(part) not in card.files:
            raise InputError(f"{path}: files: {part_file(part)} is not among them")
    for name, digest in card.files.items():
        _check_file(folder, name, digest)
    return card


def _check_file(folder: Path, name: str, digest: FileDigest) -> None:
    file = folder / name
    if Path(name).name != name:
        raise InputError(f"{folder / CARD}: files: '{name}' is not the name of a file in the folder")
    try:
        is_same = FileDigest.of(file) == digest
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}; prepare the dataset again") from None
    if not is_same:
        raise InputError(f"{file}: not the file that {CARD} describes (SHA-256 differs); prepare the dataset again")


def write_sessions(log: SessionLog, path: Path) -> None:
    """Write sessions as a Parquet file of session_id, item_id and timestamp, one row an event.

    Times are as they were read: dates as timestamps, in UTC, numbers as numbers.
    """
    sessions = np.repeat(np.arange(len(log), dtype=np.int32), log.sessions.lengths)
    times = pa.array(log.times)
    if log.ticks_per_second == NANOSECONDS:
        times = times.cast(pa.timestamp("ns", "UTC"))
    table = pa.table(
        {
            "session_id": log.ids.take(pa.array(sessions)),
            "item_id": log.item_ids.take(pa.array(log.sessions.items)),
            "timestamp": times,
        }
    )
    with atomic_file(path) as file:
        pq.write_table(table, file)
