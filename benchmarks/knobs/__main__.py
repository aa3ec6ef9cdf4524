"""What each knob of NARM brings: candidates from the literature, one at a time, on three data sets.

    python -m benchmarks.knobs --data FOLDER
    python -m benchmarks.knobs --sets ml-100k --candidates temperature,averaging
    python -m benchmarks.knobs --table

Each candidate is compared to the same configuration without it, over seeds, the learning rate tuned for both
(`benchmarks.knobs.protocol` says how). Runs go to `results/knobs.parquet`, a row each, on one thread each; what stands
there is not trained again, so that the command may be stopped and started, and candidates added. The table is written
at the end, or by `--table` from the runs there are. Only validation is looked at.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.knobs import store
from benchmarks.knobs.candidates import BASE, CANDIDATES, Candidate
from benchmarks.knobs.data_sets import DATA_SETS, DataSet
from benchmarks.knobs.protocol import Run, run_of, runs_needed
from benchmarks.knobs.report import write_report
from benchmarks.knobs.training_run import own_config, train
from experiments.cli.running import run_command
from narm.errors import InputError
from narm.text.suggestion import did_you_mean

T = TypeVar("T")


def named(text: str | None, known: Mapping[str, T], flag: str) -> list[T]:
    """The entries that a flag names, in the order of the table; all if it is not given.

    Raises:
        InputError: there is none of such a name.
    """
    names = list(known) if text is None else text.split(",")
    for name in names:
        if name not in known:
            raise InputError(f"{flag}: there is no '{name}'{did_you_mean(name, known)}")
    return [entry for name, entry in known.items() if name in names]


def check_options(data_sets: Sequence[DataSet], candidates: Sequence[Candidate]) -> None:
    """See that narm takes all options, before anything is trained.

    Raises:
        InputError: it does not know one, or a value is out of bounds.
    """
    for data_set, candidate in itertools.product(data_sets, (BASE, *candidates)):
        for variant in candidate.variants:
            try:
                own_config(data_set, json.loads(run_of(data_set, variant, data_set.learning_rate).options))
            except InputError as error:
                raise InputError(f"candidate {candidate.name} on {data_set.name}: {error}") from None


def train_all(
    data_sets: Sequence[DataSet], candidates: Sequence[Candidate], given: argparse.Namespace
) -> Iterator[dict[str, object]]:
    """Train what is missing, and yield the row of each run when it has ended."""
    values = store.load_values()
    running: dict[Future[dict[str, object]], Run] = {}
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        while True:
            needed = runs_needed(data_sets, candidates, values, given.seeds)
            for run in itertools.islice(_others(needed, running), given.processes - len(running)):
                running[pool.submit(train, run, given.data)] = run
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                row = future.result()
                values[running.pop(future)] = float(str(row["value"]))
                yield row


def _others(needed: Iterator[Run], running: Mapping[Future[dict[str, object]], Run]) -> Iterator[Run]:
    """Those that are not running; candidates may share a run."""
    return (run for run in needed if run not in running.values())


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.prog = "python -m benchmarks.knobs"
    parser.add_argument("--data", type=Path, help="folder that has yoochoose-100k/ and diginetica/")
    parser.add_argument("--sets", help=f"of {', '.join(DATA_SETS)} (default: all)")
    parser.add_argument("--candidates", help=f"of {', '.join(CANDIDATES)} (default: all)")
    parser.add_argument("--seeds", type=int, default=2, help="that compare, beside the one that chooses (default: 2)")
    parser.add_argument("--processes", type=int, default=2, help="runs at once, a thread each (default: 2)")
    parser.add_argument("--table", action="store_true", help="train nothing, write the table of the runs there are")
    given = parser.parse_args(arguments)
    data_sets = named(given.sets, DATA_SETS, "--sets")
    candidates = named(given.candidates, CANDIDATES, "--candidates")
    if not given.table:
        check_options(data_sets, candidates)
        for data_set in data_sets:
            data_set.require_files(given.data)
        for row in train_all(data_sets, candidates, given):
            store.append(row)
            print(f"{row['data_set']} {row['options']} seed {row['seed']}: {row['value']:.4f} in epoch "
                  f"{row['best_epoch']} of {row['epochs']}, {row['seconds']:.0f} s", flush=True)  # fmt: skip
    write_report(list(DATA_SETS.values()), list(CANDIDATES.values()), store.load_values(), given.seeds)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
