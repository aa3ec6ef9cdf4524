"""Small logs for the tests of the data layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from narm.data.events import Events


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a text file of that name, and return its path."""

    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


@pytest.fixture(scope="session")
def as_log() -> Callable[[list[tuple[int, int, int]]], Events]:
    """Make a log of rows of session, item and time."""

    def make(rows: list[tuple[int, int, int]]) -> Events:
        sessions, items, times = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
        session, item = (pa.array(ids).dictionary_encode() for ids in (sessions, items))
        return Events(
            sessions=session.indices.to_numpy(),
            items=item.indices.to_numpy(),
            times=times,
            session_ids=session.dictionary,
            item_ids=item.dictionary,
        )

    return make
