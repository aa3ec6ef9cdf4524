"""The table of learning curves: what is trained, and that nothing is trained twice."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import curves
from benchmarks.curves import Run, points
from benchmarks.recorded_space import recorded_space
from benchmarks.replay.table import curve_table
from narm.data.sessions import Splits
from search_spaces.space import load_space

METRICS = dict.fromkeys(curves.METRICS, 0.1)


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """The runs that the command trains, each two rows without any training, into a table of the test's own."""
    runs: list[Run] = []

    def train(run: Run) -> list[dict[str, object]]:
        runs.append(run)
        identity = {"space": run.space, "params": run.params, "seed": run.seed}
        return [{**identity, "epoch": epoch, "train_loss": 1.0, "seconds": 1.0, **METRICS} for epoch in (1, 2)]

    monkeypatch.setattr(curves, "train", train)
    monkeypatch.setattr(curves, "ProcessPoolExecutor", lambda processes, mp_context: ThreadPoolExecutor(processes))
    monkeypatch.setattr(curves, "CURVES", tmp_path / "curves.parquet")
    return runs


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["curves", *arguments])
    assert curves.main() == 0


def test_a_finite_space_is_trained_whole(trained: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    command(monkeypatch, "--space", "recbole", "--seeds", "2", "--epochs", "2")
    assert len(trained) == len({run.identity for run in trained}) == 60
    assert {run.epochs for run in trained} == {2}
    table = curve_table(curves.load_curves(), load_space("recbole"), "mrr_at_10")
    assert table.n_seeds == 2


def test_what_stands_in_the_table_is_not_trained_again(trained: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    command(monkeypatch, "--seeds", "1")
    before = curves.load_curves()
    trained.clear()
    command(monkeypatch, "--seeds", "2")
    assert {run.seed for run in trained} == {2021}
    assert len(trained) == 30
    after = curves.load_curves()
    pd.testing.assert_frame_equal(after.head(len(before)), before)
    assert len(after) == 2 * len(before)


def test_a_run_that_fails_leaves_what_was_trained_before(trained: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    train = curves.train

    def fail_at_the_fifth(run: Run) -> list[dict[str, object]]:
        if len(trained) == 4:
            raise MemoryError
        return train(run)

    monkeypatch.setattr(curves, "train", fail_at_the_fifth)
    with pytest.raises(MemoryError):
        command(monkeypatch, "--seeds", "1", "--processes", "1")
    assert len(curves.load_curves()) > 0


def test_all_points_come_with_the_first_seed_before_any_comes_with_the_next(
    trained: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    command(monkeypatch, "--seeds", "2", "--processes", "1")
    assert [run.seed for run in trained] == [2020] * 30 + [2021] * 30


def test_points_of_a_continuous_space_are_drawn_and_always_the_same() -> None:
    space = recorded_space("narm")
    drawn = points(space, 5)
    assert drawn == points(space, 7)[:5]
    assert all(space.contains(point) for point in drawn)


def test_a_run_is_a_row_an_epoch_with_its_own_options(ring_splits: Splits, monkeypatch: pytest.MonkeyPatch) -> None:
    configs = []
    create = curves.create_model

    def remember(n_items, config):
        configs.append(config)
        return create(n_items, config)

    monkeypatch.setattr(curves, "load_splits", lambda data: ring_splits)
    monkeypatch.setattr(curves, "create_model", remember)
    point = {**points(load_space("recbole"), None)[0], "n_layers": 2}
    rows = curves.train(Run(space="recbole", params=json.dumps(point), seed=7, epochs=2))
    assert [row["epoch"] for row in rows] == [1, 2]
    assert all(0 <= row["mrr_at_10"] <= row["recall_at_10"] <= 1 for row in rows)
    assert {(row["params"], row["seed"]) for row in rows} == {(json.dumps(point), 7)}
    assert (configs[0].model.n_layers, configs[0].training.seed) == (2, 7)
    assert configs[0].training.learning_rate == point["learning_rate"]
