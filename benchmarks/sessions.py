"""The data that benchmarks train on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from narm.config import DataConfig
from narm.data.datasets import load_splits
from narm.data.sessions import Examples, Sessions, Splits
from narm.errors import InputError

DIGINETICA = "diginetica/diginetica.train.parquet"


def diginetica_file(data: Path) -> Path:
    """Diginetica's training sessions in a data folder: session_id, item_id, timestamp.

    Raises:
        InputError: the folder does not have them.
    """
    path = data / DIGINETICA
    if not path.is_file():
        raise InputError(f"{path}: no such file; --data names a folder with {DIGINETICA} in it")
    return path


def load_sessions(dataset: str, n_sessions: int | None = None) -> Splits:
    """A dataset whose training part is its first sessions, as many as asked for; the catalogue stays whole."""
    splits = load_splits(DataConfig(dataset=dataset))
    if n_sessions is None:
        return splits
    whole = splits.train.sessions
    offsets = whole.offsets[: n_sessions + 1]
    return dataclasses.replace(splits, train=Examples.every_prefix(Sessions(whole.items[: offsets[-1]], offsets)))
