"""Learning curves of a search space, trained once and kept, so that searches can be replayed in seconds.

    python -m benchmarks.curves --space recbole --seeds 3
    python -m benchmarks.curves --space narm --points 200 --seeds 2

Every configuration of the space (or as many as asked for, drawn at random) is trained on ml-100k with RecBole's early
stopping, once a seed, on one thread. The curves go to `results/curves.parquet`, a row an epoch; what stands there is
not trained again, so that the command may be stopped and started. Only validation is looked at.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import optuna
import pandas as pd

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.recorded_space import recorded_space
from benchmarks.results_file import RESULTS
from experiments.cli.running import run_command
from narm.config import Config
from narm.data.datasets import load_splits
from narm.machine.files import atomic_file
from narm.machine.threads import set_threads
from narm.training import create_model, fit
from search_spaces.space import SearchSpace

CURVES = RESULTS / "curves.parquet"
FIRST_SEED = 2020
DRAWN_WITH = 2020
METRICS = ("mrr_at_10", "recall_at_10", "ndcg_at_10")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One training run: a point of a space, and a seed."""

    space: str
    params: str
    """The point as Optuna has it, in JSON."""
    seed: int
    epochs: int

    @property
    def identity(self) -> tuple[str, str, int]:
        """What tells it from the others in the table."""
        return self.space, self.params, self.seed


def points(space: SearchSpace, number: int | None) -> list[dict[str, Any]]:
    """The whole of a finite space, or `number` points of it drawn at random, always the same."""
    return list(space.grid()) if number is None else random_points(space, number, DRAWN_WITH)


def random_points(space: SearchSpace, number: int, seed: int) -> list[dict[str, Any]]:
    """So many points of a space, drawn at random as Optuna does."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return [space.suggest(study.ask()) for _ in range(number)]


def train(run: Run) -> list[dict[str, object]]:
    """The rows of one run."""
    set_threads(1)
    base = Config.from_flat(dataset="ml-100k", epochs=run.epochs)
    options = recorded_space(run.space).to_options(json.loads(run.params), base)
    config = base.replace({**options, "seed": run.seed})
    splits = load_splits(config.data)
    model = create_model(splits.n_items, config)
    return [
        {
            "space": run.space,
            "params": run.params,
            "seed": run.seed,
            "epoch": result.epoch,
            "train_loss": result.train_loss,
            "seconds": result.seconds,
            **{name: (result.valid or {})[name] for name in METRICS},
        }
        for result in fit(model, splits, config.training, config.evaluation, device="cpu")
    ]


def wanted(space: SearchSpace, given: argparse.Namespace) -> Iterator[Run]:
    """Every run asked for: all points with the first seed, then with the next."""
    drawn = [json.dumps(point) for point in points(space, given.points)]
    for seed, params in itertools.product(range(FIRST_SEED, FIRST_SEED + given.seeds), drawn):
        yield Run(space=space.name, params=params, seed=seed, epochs=given.epochs)


def load_curves() -> pd.DataFrame:
    """The table as it stands; empty at first."""
    if CURVES.exists():
        return pd.read_parquet(CURVES)
    return pd.DataFrame(columns=["space", "params", "seed", "epoch"])


def _missing(runs: Iterable[Run], curves: pd.DataFrame) -> list[Run]:
    trained = set(curves[["space", "params", "seed"]].itertuples(index=False, name=None))
    return [run for run in runs if run.identity not in trained]


def _save(curves: pd.DataFrame) -> None:
    with atomic_file(CURVES) as file:
        curves.to_parquet(file, index=False, compression="zstd")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--space", default="recbole", help="recbole, narm or a file (default: recbole)")
    parser.add_argument("--points", type=int, help="draw so many at random (default: all, of a finite space)")
    parser.add_argument("--seeds", type=int, default=3, help="2020, 2021, ... (default: 3 of them)")
    parser.add_argument("--epochs", type=int, default=40, help="of a run at most (default: 40)")
    parser.add_argument("--processes", type=int, default=2, help="runs at once, a thread each (default: 2)")
    given = parser.parse_args(arguments)
    curves = load_curves()
    missing = _missing(wanted(recorded_space(given.space), given), curves)
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        for done, future in enumerate(as_completed([pool.submit(train, run) for run in missing]), start=1):
            rows = pd.DataFrame(future.result())
            curves = pd.concat([curves, rows], ignore_index=True) if len(curves) else rows
            _save(curves)
            print(f"[{done}/{len(missing)}] {rows.params[0]} seed {rows.seed[0]}: {len(rows)} epochs, "
                  f"best MRR@10 {rows.mrr_at_10.max():.4f}", flush=True)  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
