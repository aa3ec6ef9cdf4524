"""How often a configuration is called different from itself: 5 % is what an interval of 95 % promises.

    python -m benchmarks.coverage --data FOLDER
    python -m benchmarks.coverage --sets ml-100k --seeds 30

One cheap configuration is trained over many seeds, and its test targets are ranked. Runs are then drawn as those of
several finalists, S seeds each, and the first finalist is compared with the second: by an interval that holds sessions
alone, and by that of `narm.evaluation.paired_difference`, which a search reports. Whatever is claimed is false. Runs go
to `results/coverage.parquet`, a row each, on one thread each; what is there is not trained again, so that the command
may be stopped and started, and seeds added.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.coverage.claims import FINALISTS, false_claims
from benchmarks.coverage.training_runs import keep, known_ranks, splits_of, train
from benchmarks.knobs.data_sets import DATA_SETS, DataSet
from benchmarks.results_file import write_results
from experiments.cli.running import run_command
from experiments.tuning.engine.verdict import compared_metrics
from narm.data.sessions import Splits
from narm.errors import InputError
from narm.evaluation.full_ranking import chosen_targets
from narm.evaluation.paired_difference import run_moments
from narm.metrics import METRICS, Ranks, parse_metric

FIRST_SEED = 2020
SETS = ("ml-100k", "yoochoose-100k")
SEEDS_EACH = (1, 2, 3, 5)
NOTES = """Share of {draws:,} draws from the runs in which the 95 % interval of the difference leaves out zero: 5 % is
right. Each draw has as many finalists as the runs allow, at most {finalists}, all of one and the same configuration;
the first is compared with the second. *Sessions alone* is what was reported before the interval held seeds; of one seed
each it is all there is. Draws share runs: how far a figure can be trusted follows from the number of disjoint pairs.
Test is read, and chooses nothing."""


def train_missing(data_sets: Sequence[DataSet], given: argparse.Namespace) -> None:
    """Train what is missing, and keep each run when it has ended."""
    wanted = range(FIRST_SEED, FIRST_SEED + given.seeds)
    missing = [
        (data_set.name, seed)
        for data_set in data_sets
        for seed in sorted(set(wanted) - known_ranks(data_set, splits_of(data_set, given.data)).keys())
    ]
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(train, name, seed, given.data) for name, seed in missing]
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                row = future.result()
                keep(row)
                print(f"{row['data_set']} seed {row['seed']}, {done} of {len(futures)}", flush=True)
        finally:
            pool.shutdown(cancel_futures=True)  # an interruption waits for the runs in progress, not for all


def rows_of(data_set: DataSet, splits: Splits, ranks: Mapping[int, Ranks], draws: int) -> Iterator[dict[str, object]]:
    """The lines of a data set: a metric and a number of seeds each."""
    test = chosen_targets(splits.test, data_set.config(data_set.base).evaluation)
    for metric in compared_metrics(data_set.metric):
        name, cutoff = parse_metric(metric)
        values = np.stack([METRICS[name](of_run, cutoff) for of_run in ranks.values()])
        moments = run_moments(values, test.session_of_target)
        for seeds_each in SEEDS_EACH:
            if pairs := len(ranks) // (2 * seeds_each):
                found = false_claims(moments, seeds_each, draws, np.random.default_rng(FIRST_SEED))
                held = found.sessions_and_seeds
                yield {
                    "data": data_set.name,
                    "test sessions": moments.n_sessions,
                    "metric": metric,
                    "deviation over seeds": f"{moments.means.std(ddof=1):.4f}",
                    "seeds each": seeds_each,
                    "disjoint pairs": pairs,
                    "sessions alone": f"{found.sessions_alone:.1%}",
                    "sessions and seeds": "–" if held is None else f"{held:.1%}",
                }


def chosen_sets(given: argparse.Namespace) -> list[DataSet]:
    """The data sets to train on, which are there.

    Raises:
        InputError: an unknown name, or files that are not there.
    """
    names = given.sets.split(",") if given.sets else SETS if given.data else SETS[:1]
    for name in names:
        if name not in SETS:
            raise InputError(f"--sets: there is no '{name}' here; choose of {', '.join(SETS)}")
    for name in names:
        DATA_SETS[name].require_files(given.data)
    return [DATA_SETS[name] for name in names]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.prog = "python -m benchmarks.coverage"
    parser.add_argument("--data", type=Path, help="folder that has yoochoose-100k/")
    parser.add_argument("--sets", help=f"of {', '.join(SETS)} (default: ml-100k, and yoochoose-100k with --data)")
    parser.add_argument("--seeds", type=int, default=40, help="2020, 2021, ... (default: 40 of them)")
    parser.add_argument("--draws", type=int, default=2_000, help="comparisons drawn from the runs (default: 2000)")
    parser.add_argument("--processes", type=int, default=2, help="runs at once, a thread each (default: 2)")
    given = parser.parse_args(arguments)
    if given.seeds < 2:
        raise InputError(f"--seeds: {given.seeds} makes no pair; at least 2")
    data_sets = chosen_sets(given)
    train_missing(data_sets, given)
    rows: list[dict[str, object]] = []
    for data_set in data_sets:
        splits = splits_of(data_set, given.data)
        rows += rows_of(data_set, splits, known_ranks(data_set, splits), given.draws)
    write_results(
        "coverage",
        title="How often a configuration is called different from itself",
        notes=NOTES.replace("\n", " ").format(draws=given.draws, finalists=FINALISTS),
        rows=rows,
    )
    for row in rows:
        print(row)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
