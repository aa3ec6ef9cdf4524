"""The table of runs, a row each, which only grows."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from benchmarks.knobs.protocol import Run
from benchmarks.results_file import RESULTS
from benchmarks.run_table import append_run, read_runs

RUNS = RESULTS / "knobs.parquet"


def load_values() -> dict[Run, float]:
    """What the runs are worth that there are; NaN: training failed."""
    runs = load_runs()
    columns = (runs[name].tolist() for name in ("data_set", "options", "seed", "value"))
    return {
        Run(data_set=data_set, options=options, seed=seed): value
        for data_set, options, seed, value in zip(*columns, strict=True)
    }


def load_runs() -> pd.DataFrame:
    """The table as it stands; empty at first."""
    return read_runs(RUNS, ["data_set", "options", "seed", "value"])


def append(row: Mapping[str, object]) -> None:
    """Add a run."""
    append_run(RUNS, row)
