"""The recipe beside the default configuration, over seeds: the best epoch on validation, and test read once a seed.

    python -m benchmarks.recipe --data FOLDER

Both train until early stopping ends them. A difference is that of the means over seeds, with Welch's interval, which
holds for seeds and not for other sessions.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import mean
from typing import Any

from scipy.stats import ttest_ind

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.results_file import write_results
from benchmarks.sessions import yoochoose
from experiments.cli.running import run_command
from narm.build_model import Model
from narm.config import Config, DataConfig
from narm.data.datasets import load_splits
from narm.data.sessions import Splits
from narm.evaluation.full_ranking import evaluate
from narm.machine.threads import set_threads
from narm.model_options import used_options
from narm.training import create_model, fit
from narm.training_state import EpochResult
from search_spaces.data_size import DataSize
from search_spaces.recipe import find_recipe

FIRST_SEED = 2020


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One training, with its options beside those of the data."""

    configuration: str
    data: DataConfig
    options: Mapping[str, Any]
    seed: int


def recipe_options(data: DataConfig, base: Mapping[str, Any]) -> dict[str, Any]:
    """What the bundled recipe says for the data."""
    splits, config = load_splits(data), Config.from_flat(base)
    size = DataSize(targets=len(splits.train), items=splits.n_items - 1)
    recipe = find_recipe("narm").for_data(size, config, fixed=(), used=used_options("narm"))
    return dict(recipe.options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A run that is over: its model has the weights of the best epoch."""

    model: Model
    last: EpochResult
    config: Config
    splits: Splits


def train_to_the_stop(run: Run) -> Trained:
    """Train on one thread, to the early stop."""
    set_threads(1)
    config = Config.from_flat({**run.data.model_dump(), **run.options, "seed": run.seed})
    splits = load_splits(config.data)
    model = create_model(splits.n_items, config)
    for epoch in fit(model, splits, config.training, config.evaluation, device="cpu"):
        last = epoch
    return Trained(model=model, last=last, config=config, splits=splits)


def train(run: Run) -> dict[str, object]:
    """One row: a run to its early stop, judged on test."""
    trained = train_to_the_stop(run)
    config, splits, last = trained.config, trained.splits, trained.last
    test = evaluate(trained.model, splits.test, config.evaluation, max_length=splits.max_length)
    metrics = [f"{name}_at_{config.evaluation.cutoffs[-1]}" for name in ("mrr", "recall")]
    return {
        "data": splits.name,
        "configuration": run.configuration,
        "seed": str(run.seed),
        "epochs": last.epoch,
        "seconds": round(last.total_seconds),
        **{f"valid {name[: name.index('_')]}": round(last.best[name], 4) for name in metrics},
        **{f"test {name[: name.index('_')]}": round(test[name], 4) for name in metrics},
    }


def sentence(rows: Sequence[Mapping[str, Any]], column: str) -> str:
    """How the recipe compares to the default configuration on one data set."""
    recipe, default = ([row[column] for row in rows if row["configuration"] == of] for of in ("recipe", "default"))
    interval = ttest_ind(recipe, default, equal_var=False).confidence_interval()
    return (
        f"{column} {mean(recipe):.4f} and {mean(default):.4f}, a difference of {mean(recipe) - mean(default):+.4f} "
        f"[{interval.low:+.4f}, {interval.high:+.4f}]"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--data", type=Path, help="folder that has yoochoose-100k/ (default: ml-100k alone)")
    parser.add_argument("--seeds", type=int, default=5, help="2020, 2021, ... (default: 5 of them)")
    parser.add_argument("--processes", type=int, default=2, help="seeds at once, a thread each (default: 2)")
    given = parser.parse_args(arguments)
    data_sets: list[tuple[DataConfig, dict[str, Any]]] = [(DataConfig(dataset="ml-100k"), {})]
    if given.data:
        data_sets.append((yoochoose(given.data), {"topk": [20], "valid_metric": "MRR@20"}))
    runs = [
        Run(configuration=name, data=data, options={**base, **options}, seed=seed)
        for data, base in data_sets
        for seed in range(FIRST_SEED, FIRST_SEED + given.seeds)
        for name, options in (("recipe", recipe_options(data, base)), ("default", {}))
    ]
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        rows = []
        for row in pool.map(train, runs):
            rows.append(row)
            print(row, flush=True)
    notes = ["Ranks are among all items; test is read once a run, for the epoch that validation chose."]
    for name in dict.fromkeys(str(row["data"]) for row in rows):
        of_data = [row for row in rows if row["data"] == name]
        said = "; ".join(sentence(of_data, column) for column in ("test mrr", "test recall"))
        notes.append(f"{name}, recipe and default: {said}.")
    write_results("recipe", title="The recipe beside the default configuration", notes="\n\n".join(notes), rows=rows)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
