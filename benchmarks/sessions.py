"""The data that benchmarks train on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from narm.config import DataConfig
from narm.data.datasets import load_splits
from narm.data.sessions import Examples, Sessions, Splits
from narm.errors import InputError

DIGINETICA = "diginetica/diginetica.{part}.parquet"


def diginetica(data: Path) -> DataConfig:
    """Diginetica in a data folder, all of its training sessions to train on: the whole catalogue of 43,097 items.

    Raises:
        InputError: the folder does not have the training and the test sessions.
    """
    train, test = (data / DIGINETICA.format(part=part) for part in ("train", "test"))
    for path in (train, test):
        if not path.is_file():
            raise InputError(f"{path}: no such file; --data names the folder that has it")
    return DataConfig(dataset=str(train), test_file=str(test), valid_share=0)


def load_sessions(data: DataConfig, n_sessions: int | None = None) -> Splits:
    """A dataset whose training part is its first sessions, as many as asked for; the catalogue stays whole."""
    splits = load_splits(data)
    if n_sessions is None:
        return splits
    whole = splits.train.sessions
    offsets = whole.offsets[: n_sessions + 1]
    return dataclasses.replace(splits, train=Examples.every_prefix(Sessions(whole.items[: offsets[-1]], offsets)))
