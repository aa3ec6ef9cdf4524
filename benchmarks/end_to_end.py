"""The default search of ml-100k, whole and in one run, against RecBole's documented search of the same space.

    python -m benchmarks.end_to_end

Ours is `python -m experiments.search` as a newcomer calls it: start-up, 30 trials and the finalists, on the wall clock.
The winner is that of the finalists, by validation over their seeds. What its configuration is
worth is its mean over the seeds of the recorded curves, as is that of the grid's best: trained anew, nobody chose them.
*RecBole's choice* is the best of the grid by one seed, as its search makes it, and what that is worth over the other
seeds; the mean over the seeds. The grid's best is that of 30 means over seeds, and looks better than it is.
RecBole's is projected: the seconds of its training epoch, measured here before and after ours, times the epochs that
its exhaustive search needs, by the recorded curves. These end at 40 epochs, where RecBole's trials may go on to 300,
and its validation is left out: the projection is a lower bound. Its environment is built by the command.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.curves import load_curves
from benchmarks.peer import DEFAULT_VENV, recbole_step_seconds
from benchmarks.replay.table import CurveTable, curve_table
from benchmarks.results_file import write_results
from experiments.cli.running import run_command
from narm.config import Config, DataConfig
from narm.data.datasets import load_splits
from search_spaces.space import load_space


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Our search.

    Attributes:
        seconds: wall clock of the command.
        search_seconds: of the search in it, without start-up and finalists.
        summary: what it found.
    """

    seconds: float
    search_seconds: float
    summary: dict[str, Any]


def search(seed: int) -> Run:
    """Run the command in a process of its own, in a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        options = ["--seed", str(seed), "--output", folder, "--study", "default"]
        subprocess.run([sys.executable, "-m", "experiments.search", *options], check=True)
        seconds = time.perf_counter() - started
        summary = json.loads((Path(folder) / "default" / "summary.json").read_text(encoding="utf-8"))
    return Run(seconds=seconds, search_seconds=summary["timing"]["wall_s"], summary=summary)


def recbole_epoch_seconds(n_targets: int, venv: Path, steps: int) -> float:
    """Seconds of a training epoch of RecBole's, projected from a few steps."""
    timing = recbole_step_seconds("ml-100k", max_steps=steps, n_threads=torch.get_num_threads(), venv=venv)
    return timing.seconds_per_step / timing.batch_size * n_targets


def row(run: Run, table: CurveTable, epoch_seconds: float) -> dict[str, object]:
    """The comparison."""
    epochs = sum(len(curve) for of_one in table.curves for curve in of_one) / table.n_seeds
    projected = epochs * epoch_seconds
    finals = run.summary["finals"]
    winner = next(one for one in finals["finalists"] if one["number"] == finals["winner"])
    configuration = _index(winner["params"], table)
    worth = table.values[configuration]
    return {
        "ours, s": round(run.seconds),
        "search alone, s": round(run.search_seconds),
        "RecBole's epoch, s": round(epoch_seconds, 1),
        "its epochs": round(epochs),
        "projected, h": round(projected / 3600, 1),
        "ratio": round(projected / run.seconds),
        "ratio, search alone": round(projected / run.search_seconds),
        "best validation MRR@10 of a trial": round(run.summary["best"]["valid"]["mrr_at_10"], 4),
        "of the winner, over its seeds": round(winner["valid"]["mrr_at_10"]["mean"], 4),
        "its configuration is worth": round(float(worth), 4),
        "RecBole's choice is worth": round(choice_of_one_seed(table), 4),
        "the grid's best is worth": round(float(table.values.max()), 4),
        "its place of 30": 1 + int((table.values > worth).sum()),
    }


def choice_of_one_seed(table: CurveTable) -> float:
    """What an exhaustive search chooses by one seed, judged by the others; the mean over the seeds."""
    chosen = table.finals.argmax(axis=0)
    others = ~np.eye(table.n_seeds, dtype=bool)
    return float(np.mean([table.finals[index, others[seed]].mean() for seed, index in enumerate(chosen)]))


def _index(options: dict[str, Any], table: CurveTable) -> int:
    """Which configuration of the table these options are."""
    params = table.space.from_options(Config.from_flat(options))
    assert params is not None
    return table.index(params)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--seed", type=int, default=2020, help="of the study (default: 2020)")
    parser.add_argument("--steps", type=int, default=6, help="of RecBole, before and after (default: 6)")
    parser.add_argument("--peer-venv", type=Path, default=DEFAULT_VENV, help="default: %(default)s")
    given = parser.parse_args(arguments)
    n_targets = len(load_splits(DataConfig(dataset="ml-100k")).train)
    before = recbole_epoch_seconds(n_targets, given.peer_venv, given.steps)
    run = search(given.seed)
    after = recbole_epoch_seconds(n_targets, given.peer_venv, given.steps)
    table = curve_table(load_curves(), load_space("recbole"), "mrr_at_10")
    rows = [row(run, table, median((before, after)))]
    write_results(
        "end_to_end",
        title="The default search of ml-100k against RecBole's exhaustive one",
        notes=" ".join((__doc__ or "").split("\n\n")[2].split()),
        rows=rows,
    )
    print(rows[0])
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
