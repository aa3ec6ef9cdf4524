"""Logs in several files: the parts that Spark, BigQuery and others write into a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from narm.data.readers.event_table import EventTable
from narm.data.readers.ids import without_point
from narm.data.readers.table import READERS, log_suffix
from narm.errors import InputError

RECBOLE = ".inter"


def files_of(path: Path) -> tuple[Path, ...]:
    """The files of a log: the path itself; in a folder NAME its NAME.inter, its one atomic file, or its parts by name.

    Parts may lie in folders of the folder that are named `day=2019-10-01`. Hidden files and those that begin with an
    underscore, such as `_SUCCESS`, are none.

    Raises:
        InputError: there is none, or it is not clear which.
    """
    if not path.is_dir():
        if not path.is_file():
            scheme, _, rest = str(path).partition(":/")
            if rest and len(scheme) > 1:  # `C:/` is a drive
                raise InputError(f"{scheme}://{rest}: an address, where a file of this machine is wanted: download it")
            raise InputError(f"{path}: no such file")
        return (path,)
    usual = path / f"{path.resolve().name}{RECBOLE}"
    if usual.is_file():
        return (usual,)
    readable = {suffix for reader in READERS for suffix in reader.suffixes}
    parts = [file for file in sorted(path.rglob("*")) if _is_part(file, path) and log_suffix(file) in readable]
    atomic = [file for file in parts if log_suffix(file) == RECBOLE]
    if len(atomic) == 1:
        return tuple(atomic)
    if atomic:
        names = ",".join(file.name.split(".")[-2] for file in atomic)
        raise InputError(f"{path}: several atomic files; name one, or all as parts: benchmark_filename: {names}")
    if not parts:
        raise InputError(f"{usual}: no such file, and no parts of a log in the folder")
    if len({log_suffix(file) for file in parts}) > 1:
        raise InputError(f"{path}: files of several formats, {parts[0].name} and {parts[-1].name} among them; name one")
    return tuple(parts)


def joined(parts: Sequence[EventTable], files: Sequence[Path]) -> EventTable:
    """The events of several files as one log, in the order of the files.

    Raises:
        InputError: columns or units of a file are not those of the first one.
    """
    first, *others = parts
    if not others:
        return first
    for part, file in zip(others, files[1:], strict=True):
        if (part.columns, part.of_dates) != (first.columns, first.of_dates):
            raise InputError(f"{file}: its columns or times are not those of {files[0].name}: not parts of one log")
    ticks = max(part.ticks_per_second or 1 for part in parts)
    return replace(
        first,
        sessions=_joined_ids([part.sessions for part in parts]),
        items=_joined_ids([part.items for part in parts]),
        times=_joined_times(parts, ticks),
        ticks_per_second=first.ticks_per_second and ticks,
        n_wrong=sum(part.n_wrong for part in parts),
        notes=tuple(note for part in parts for note in part.notes),
    )


def _is_part(file: Path, folder: Path) -> bool:
    *folders, name = file.relative_to(folder).parts
    return file.is_file() and not name.startswith((".", "_")) and all("=" in part for part in folders)


def _joined_ids(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    """Ids in one dictionary, as text where one of the files has text."""
    kinds = {column.type.value_type for column in columns}
    chunks = [chunk for column in columns for chunk in column.chunks]
    if len(kinds) > 1:
        chunks = [
            pa.DictionaryArray.from_arrays(chunk.indices, without_point(chunk.dictionary.cast(pa.string())))
            for chunk in chunks
        ]
    return pa.chunked_array(chunks).unify_dictionaries()


def _joined_times(parts: Sequence[EventTable], ticks: int) -> pa.ChunkedArray:
    """Times in one unit: that of the part which has the most decimals."""
    floating = any(pa.types.is_floating(part.times.type) for part in parts)
    chunks = []
    for part in parts:
        factor = ticks // (part.ticks_per_second or 1)
        times = pc.multiply_checked(part.times, factor) if factor > 1 else part.times
        chunks += times.cast(pa.float64() if floating else pa.int64()).chunks
    return pa.chunked_array(chunks)
