"""A table of training runs in a Parquet file, a row each, which only grows: a command goes on where it stood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from narm.machine.files import atomic_file


def read_runs(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """The table as it stands; empty, with these columns, before there is a run."""
    return pd.read_parquet(path) if path.exists() else pd.DataFrame(columns=list(columns))


def append_run(path: Path, row: Mapping[str, object]) -> None:
    """Add a run."""
    new = pd.DataFrame([row])
    with atomic_file(path) as file:
        runs = pd.concat([pd.read_parquet(path), new], ignore_index=True) if path.exists() else new
        runs.to_parquet(file, index=False, compression="zstd")
