"""Runs of one cheap configuration, which differ in their seed alone: the ranks of the test targets, a row each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from benchmarks.knobs.data_sets import DATA_SETS, DataSet, load
from benchmarks.results_file import RESULTS
from benchmarks.run_table import append_run, read_runs
from narm.data.sessions import Splits
from narm.evaluation.full_ranking import chosen_targets, rank_targets
from narm.machine.threads import set_threads
from narm.metrics import Ranks
from narm.training import create_model, fit

RUNS = RESULTS / "coverage.parquet"
COLUMNS = ("data_set", "options", "fingerprint", "seed", "ranks")


def splits_of(data_set: DataSet, folder: Path | None) -> Splits:
    """The data, read once a process."""
    return load(data_set.config(data_set.base, folder).data, data_set.share)


def train(name: str, seed: int, folder: Path | None) -> dict[str, object]:
    """One row: a run on one thread, to its early stop, and the ranks that its best epoch gives to the test targets."""
    set_threads(1)
    data_set = DATA_SETS[name]
    config, splits = data_set.config(data_set.base, folder).replace({"seed": seed}), splits_of(data_set, folder)
    model = create_model(splits.n_items, config)
    for _ in fit(model, splits, config.training, config.evaluation, device="cpu"):
        pass
    ranks = rank_targets(
        model,
        chosen_targets(splits.test, config.evaluation),
        max_length=splits.max_length,
        batch_size=config.evaluation.eval_batch_size,
    )
    return {
        "data_set": name,
        "options": _options(data_set),
        "fingerprint": splits.fingerprint,
        "seed": seed,
        "ranks": ranks.astype(np.int32),
    }


def keep(row: dict[str, object]) -> None:
    """Add a run."""
    append_run(RUNS, row)


def known_ranks(data_set: DataSet, splits: Splits) -> dict[int, Ranks]:
    """The ranks of the runs there are, by seed, in its order; those of other options or data do not count."""
    runs = read_runs(RUNS, COLUMNS)
    is_ours = (runs["data_set"] == data_set.name) & (runs["options"] == _options(data_set))
    found = runs[is_ours & (runs["fingerprint"] == splits.fingerprint)].sort_values("seed")
    return {int(seed): np.asarray(ranks, dtype=np.int64)
            for seed, ranks in zip(found["seed"], found["ranks"], strict=True)}  # fmt: skip


def _options(data_set: DataSet) -> str:
    return json.dumps(data_set.base, sort_keys=True)
