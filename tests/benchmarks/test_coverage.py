"""The coverage of intervals: what is missing is trained once, and what is claimed is counted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from benchmarks.coverage import __main__ as coverage
from benchmarks.coverage import training_runs
from benchmarks.coverage.claims import false_claims
from benchmarks.knobs.data_sets import DataSet
from narm.data.sessions import Splits
from narm.errors import InputError
from narm.evaluation.paired_difference import run_moments

RING = DataSet(
    name="ring",
    base={
        "embedding_size": 8,
        "hidden_size": 12,
        "train_batch_size": 64,
        "learning_rate": 0.01,
        "epochs": 1,
        "valid_metric": "MRR@10",
    },
)


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ring_splits: Splits) -> list[list[dict[str, object]]]:
    """The tables that the command writes, over a small data set; threads in place of processes."""
    written: list[list[dict[str, object]]] = []
    for module in (coverage, training_runs):
        monkeypatch.setattr(module, "DATA_SETS", {"ring": RING})
    monkeypatch.setattr(coverage, "SETS", ("ring",))
    monkeypatch.setattr(coverage, "ProcessPoolExecutor", lambda processes, mp_context: ThreadPoolExecutor(processes))
    monkeypatch.setattr(coverage, "write_results", lambda name, **given: written.append(given["rows"]))
    monkeypatch.setattr(training_runs, "load", lambda data, share: ring_splits)
    monkeypatch.setattr(training_runs, "RUNS", tmp_path / "coverage.parquet")
    return written


def test_runs_are_trained_once_and_compared_in_pairs(
    tables: list[list[dict[str, object]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[int] = []

    def train(name: str, seed: int, folder: Path | None) -> dict[str, object]:
        trained.append(seed)
        return training_runs.train(name, seed, folder)

    monkeypatch.setattr(coverage, "train", train)
    assert coverage.main(["--seeds", "2", "--draws", "5", "--processes", "1"]) == 0
    assert coverage.main(["--seeds", "4", "--draws", "5", "--processes", "1"]) == 0
    assert sorted(trained) == [2020, 2021, 2022, 2023]
    assert [(row["metric"], row["seeds each"], row["disjoint pairs"]) for row in tables[1]] == [
        ("MRR@10", 1, 2), ("MRR@10", 2, 1), ("Recall@10", 1, 2), ("Recall@10", 2, 1),
    ]  # fmt: skip
    assert [row["sessions and seeds"] == "–" for row in tables[1]] == [True, False, True, False]


def test_runs_of_other_options_or_data_do_not_count(tables: list[list[dict[str, object]]], ring_splits: Splits) -> None:
    row = {"data_set": "ring", "options": training_runs._options(RING), "fingerprint": ring_splits.fingerprint,
           "seed": 7, "ranks": np.array([1, 2, 3], dtype=np.int32)}  # fmt: skip
    for changed in ({}, {"options": "{}"}, {"fingerprint": "other"}, {"data_set": "other"}):
        training_runs.keep({**row, **changed})
    [(seed, ranks)] = training_runs.known_ranks(RING, ring_splits).items()
    assert (seed, ranks.tolist()) == (7, [1, 2, 3])


def test_runs_whose_seeds_matter_are_called_different_by_sessions_alone() -> None:
    rng = np.random.default_rng(0)
    values = rng.random(500) + rng.normal(0, 0.05, (20, 1)) + rng.normal(0, 0.3, (20, 500))
    found = false_claims(run_moments(values, np.arange(500)), 2, 200, rng)
    assert found.sessions_alone > 0.3
    assert found.sessions_and_seeds is not None
    assert found.sessions_and_seeds < 0.15


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sets", "rings"], "--sets: there is no 'rings' here; choose of ring"),
        (["--seeds", "1"], "--seeds: 1 makes no pair; at least 2"),
    ],
)
def test_what_makes_no_comparison_is_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(InputError) as error:
        coverage.main(arguments)
    assert str(error.value) == message
