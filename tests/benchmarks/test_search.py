"""The command: every method runs, and its table says what it is."""

from __future__ import annotations

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pandas as pd
import pytest

from benchmarks import results_file, search
from benchmarks.machine import Machine
from benchmarks.replay.methods import DEFAULT, EXHAUSTIVE, PLAIN_RAY, PLAIN_RAY_IN_FULL
from benchmarks.replay.table import CurveTable
from experiments.command_line import run_command

MACHINE = Machine(
    cpu="a CPU", instruction_set="AVX2", n_cores=1, memory_gib=1.0, system="a system", python="3.11",
    versions={"torch": "2.13"}, n_threads=1, sgemm_gflops=1.0,
)  # fmt: skip


def test_a_search_leaves_a_table_figures_and_a_plot(curves: pd.DataFrame, tmp_path, monkeypatch, capsys) -> None:
    compared = (DEFAULT, PLAIN_RAY, PLAIN_RAY_IN_FULL, EXHAUSTIVE)
    every = search.methods_for
    monkeypatch.setattr(search, "methods_for", lambda table: {name: every(table)[name] for name in compared})
    monkeypatch.setattr(search, "PLOTTED", compared)
    monkeypatch.setattr(search, "load_curves", lambda: curves)
    monkeypatch.setattr(results_file, "describe", lambda: MACHINE)
    monkeypatch.setattr(search, "RESULTS", tmp_path)
    monkeypatch.setattr(results_file, "RESULTS", tmp_path)
    monkeypatch.setattr(search, "ProcessPoolExecutor", lambda processes, mp_context: ThreadPoolExecutor(1))
    monkeypatch.setattr("sys.argv", ["search", "--seeds", "2"])
    assert search.main() == 0
    rows = json.loads((tmp_path / "search.json").read_text())["rows"]
    assert [row["search"] for row in rows] == [f"**{DEFAULT}**", *compared[1:]]
    assert rows[0]["duplicates"] == rows[3]["duplicates"] == 0
    assert (tmp_path / "search.png").stat().st_size > 10_000
    text = (tmp_path / "search.md").read_text()
    assert "30 configurations of recbole on ml-100k, 3 seeds each" in text
    assert "of plain Ray Tune's" in capsys.readouterr().out


def test_a_search_can_be_sent_to_another_process(table: CurveTable) -> None:
    sent = pickle.loads(pickle.dumps(partial(search.run, table)))  # noqa: S301 - what the pool does
    assert sent((PLAIN_RAY, 1)).epochs == search.run(table, (PLAIN_RAY, 1)).epochs


def test_a_table_that_is_not_there_is_one_line_on_stderr(curves: pd.DataFrame, monkeypatch, capsys) -> None:
    monkeypatch.setattr(search, "load_curves", lambda: curves.head(0))
    assert run_command(search.main, []) == 2
    assert capsys.readouterr().err.startswith("error: curves: 30 of the 30 curves of recbole are missing")


def test_searches_without_success_count_with_all_their_epochs(table: CurveTable) -> None:
    outcomes = [search.run(table, (EXHAUSTIVE, seed)) for seed in range(6)]
    row = search.row(EXHAUSTIVE, outcomes)
    spent = sorted(one.reached(0.01) or one.epochs for one in outcomes)
    assert row["within 1 %"].startswith(f"{(spent[2] + spent[3]) / 2:.0f} (")
    assert row["by"] == f"{sum(one.reached(0.01) is not None for one in outcomes) / 6:.0%}"


def test_the_noise_of_the_table_is_told(table: CurveTable) -> None:
    spread = (table.finals.var(axis=1, ddof=1).mean()) ** 0.5
    told = search.noise(table)
    assert f"{spread:.4f}" in told
    assert f"{int((table.regrets() <= 0.05).sum())} within 5 %" in told


@pytest.mark.parametrize("objective", ["mrr_at_10", "recall_at_10"])
def test_any_metric_of_the_table_can_be_searched_by(curves: pd.DataFrame, objective: str) -> None:
    table = search.curve_table(curves, search.load_space("recbole"), objective)
    assert search.run(table, (DEFAULT, 0)).regrets[-1] < 0.2
