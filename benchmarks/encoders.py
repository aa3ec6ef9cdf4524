"""Does attention help on long sessions, as the paper claims? NARM and its halves with the recipe, by session length.

    python -m benchmarks.encoders --data FOLDER

Each of the three has a learning rate of its own, chosen on validation with the first seed; further seeds are trained at
that rate, to their early stop, and test is read once for each run. Differences to NARM are paired by target; their
intervals hold sessions and seeds, and by length they hold together (Bonferroni).

Q test targets, R runs.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.recipe import FIRST_SEED, Run, recipe_options, train_to_the_stop
from benchmarks.results_file import write_results
from benchmarks.sessions import yoochoose
from experiments.cli.running import run_command
from experiments.tuning.worker.finalist_training import rank_test
from narm.config import DataConfig
from narm.data.datasets import load_splits
from narm.data.sessions import Examples
from narm.evaluation.paired_difference import Configuration, difference, run_moments, seed_noise, simultaneous
from narm.evaluation.slices import MIN_SESSIONS, session_length_slices
from narm.metrics import METRICS, Ranks, Values, parse_metric

ENCODERS = ("narm", "global", "local")
FACTORS = (0.5, 1.0, 2.0)
"""Of the recipe's learning rate."""
OBJECTIVE = "MRR@20"
SHOWN = (OBJECTIVE, "Recall@20")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A run: its best value on validation, and the rank of each test target, [Q]."""

    run: Run
    valid: float
    ranks: Ranks


def train(run: Run) -> Ranked:
    """Train to the early stop, and read test once."""
    trained = train_to_the_stop(run)
    evaluation = trained.config.evaluation
    ranks = rank_test(trained.model, trained.splits, evaluation)
    return Ranked(run=run, valid=trained.last.best[evaluation.objective], ranks=ranks)


def first_runs(data: DataConfig, options: Mapping[str, Any], models: Sequence[str]) -> list[Run]:
    """Each model at each learning rate, with the first seed."""
    rates = [options["learning_rate"] * factor for factor in FACTORS]
    return [
        Run(configuration=model, data=data, options={**options, "model": model, "learning_rate": rate}, seed=FIRST_SEED)
        for model in models
        for rate in rates
    ]


def best_of(runs: Sequence[Ranked], model: str) -> Ranked:
    """The run of a model that is best on validation."""
    return max((each for each in runs if each.run.configuration == model), key=lambda each: each.valid)


def rows(runs: Mapping[str, Sequence[Ranked]], test: Examples) -> list[dict[str, str]]:
    """A line for all sessions and one for each class of lengths: what NARM has, and how far it is ahead of its halves.

    Args:
        runs: of each model, those that are compared; the first is the one that others are compared with.
        test: the targets that they have ranked.
    """
    slices = [(name, members) for name, members in session_length_slices(test)
              if len(np.unique(test.session_of_target[members])) >= MIN_SESSIONS]  # fmt: skip
    everything = np.arange(len(test))
    confidence = simultaneous(len(slices) * (len(runs) - 1))
    return [
        _row("all", everything, runs, test),
        *(_row(name, members, runs, test, confidence) for name, members in slices),
    ]


def _row(
    length: str,
    members: NDArray[np.int64],
    runs: Mapping[str, Sequence[Ranked]],
    test: Examples,
    confidence: float = 0.95,
) -> dict[str, str]:
    sessions = test.session_of_target[members]
    row = {"length": length, "targets": str(len(members)), "sessions": str(len(np.unique(sessions)))}
    groups = _groups(runs)
    first, *others = runs
    compared = [run for of_one in runs.values() for run in of_one]
    for metric in SHOWN:
        name, cutoff = parse_metric(metric)
        values: Values = np.stack([METRICS[name](run.ranks[members], cutoff) for run in compared])
        moments = run_moments(values, sessions)
        noise = seed_noise(moments, list(groups.values()))
        row[f"{first}, {metric}"] = f"{moments.means[groups[first].runs].mean():.4f}"
        for other in others:
            lead = difference(moments, groups[first], groups[other], noise, confidence=confidence)
            row[f"less {other}, {metric}"] = f"{lead.mean:+.4f} [{lead.low:+.4f}, {lead.high:+.4f}]"
    return row


def _groups(runs: Mapping[str, Sequence[Ranked]]) -> dict[str, Configuration]:
    """Which rows of the values each model has."""
    ends = np.cumsum([len(of_one) for of_one in runs.values()]).tolist()
    return {
        model: Configuration(list(range(end - len(of_one), end)))
        for (model, of_one), end in zip(runs.items(), ends, strict=True)
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that has yoochoose-100k/")
    parser.add_argument("--seeds", type=int, default=3, help="2020, 2021, ... (default: 3 of them)")
    parser.add_argument("--processes", type=int, default=2, help="runs at once, a thread each (default: 2)")
    given = parser.parse_args(arguments)
    data, base = yoochoose(given.data), {"topk": [20], "valid_metric": OBJECTIVE}
    options = {**base, **recipe_options(data, base)}
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        searched = list(pool.map(train, first_runs(data, options, ENCODERS)))
        best = [best_of(searched, model) for model in ENCODERS]
        more = [replace(each.run, seed=FIRST_SEED + number) for each in best for number in range(1, given.seeds)]
        judged = [*best, *pool.map(train, more)]
    runs = {model: [each for each in judged if each.run.configuration == model] for model in ENCODERS}
    notes = [" ".join(__doc__.split("\n\n")[2].split()), _said(runs)]
    write_results(
        "encoders",
        title="NARM and its halves with the recipe, by session length: yoochoose-100k, test",
        notes="\n\n".join(notes),
        rows=rows(runs, load_splits(data).test),
    )
    return 0


def _said(runs: Mapping[str, Sequence[Ranked]]) -> str:
    """What was chosen for each model, and what it was worth on validation."""
    return "; ".join(
        f"{model}: learning rate {of_one[0].run.options['learning_rate']:g}, validation {OBJECTIVE} "
        f"{np.mean([run.valid for run in of_one]):.4f} over {len(of_one)} seeds"
        for model, of_one in runs.items()
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(run_command(main))
