"""The data that benchmarks train on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from narm.config import DataConfig
from narm.data.datasets import load_splits
from narm.data.sessions import Examples, Sessions, Splits
from narm.errors import InputError

DIGINETICA = "diginetica/diginetica.{part}.parquet"
YOOCHOOSE = "yoochoose-100k/{part}.txt"


def diginetica(data: Path) -> DataConfig:
    """Diginetica in a data folder, all of its training sessions to train on: the whole catalogue of 43,097 items.

    Raises:
        InputError: the folder does not have the training and the test sessions.
    """
    train, test = _files(data, DIGINETICA, ("train", "test"))
    return DataConfig(dataset=train, test_file=test, valid_share=0)


def yoochoose(data: Path) -> DataConfig:
    """100,000 clicks of Yoochoose in a data folder, with the splits that stand there.

    Raises:
        InputError: the folder does not have them.
    """
    train, valid, test = _files(data, YOOCHOOSE, ("train_tr", "train_valid", "test"))
    return DataConfig(dataset=train, valid_file=valid, test_file=test)


def _files(data: Path, name: str, parts: Sequence[str]) -> list[str]:
    paths = [data / name.format(part=part) for part in parts]
    for path in paths:
        if not path.is_file():
            raise InputError(f"{path}: no such file; --data names the folder that has it")
    return [str(path) for path in paths]


def load_sessions(data: DataConfig, n_sessions: int | None = None) -> Splits:
    """A dataset whose training part is its first sessions, as many as asked for; the catalogue stays whole."""
    splits = load_splits(data)
    if n_sessions is None:
        return splits
    whole = splits.train.sessions
    offsets = whole.offsets[: n_sessions + 1]
    return dataclasses.replace(splits, train=Examples.every_prefix(Sessions(whole.items[: offsets[-1]], offsets)))


def newest(splits: Splits, share: float) -> Splits:
    """Train on the last sessions in time, whole ones, with that share of the training targets.

    Catalogue and validation stay whole, other than by narm's `recent_share`: so shares can be compared.
    """
    if share == 1:
        return splits
    whole = splits.train.sessions
    targets_from = np.cumsum((whole.lengths - 1)[::-1])[::-1]  # of each session and all after it
    first = int((targets_from > share * len(splits.train)).sum())
    offsets = whole.offsets[first:]
    items = whole.items[offsets[0] :]
    return dataclasses.replace(splits, train=Examples.every_prefix(Sessions(items, offsets - offsets[0])))
