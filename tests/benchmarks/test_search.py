"""The command: every method runs, and its table says what it is."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import results_file, search
from benchmarks.machine import Machine
from benchmarks.replay.methods import DEFAULT, EXHAUSTIVE, PLAIN_RAY, PLAIN_RAY_IN_FULL, RANDOM
from benchmarks.replay.table import CurveTable
from experiments.command_line import run_command
from experiments.presets import PRESETS
from narm.config import Config
from narm.errors import InputError

MACHINE = Machine(
    cpu="a CPU", instruction_set="AVX2", n_cores=1, memory_gib=1.0, system="a system", python="3.11",
    versions={"torch": "2.13"}, n_threads=1, sgemm_gflops=1.0,
)  # fmt: skip


@pytest.fixture
def replayed(tmp_path: Path, monkeypatch):
    """Run the command on curves, of a few methods and in this process; the folder of its results."""

    def run(curves: pd.DataFrame, compared: Sequence[str], *arguments: str) -> Path:
        every = search.methods_for
        monkeypatch.setattr(search, "methods_for", lambda table: {name: every(table)[name] for name in compared})
        monkeypatch.setattr(search, "load_curves", lambda: curves)
        monkeypatch.setattr("sys.argv", ["search", *arguments])
        assert search.main() == 0
        return tmp_path

    monkeypatch.setattr(results_file, "describe", lambda: MACHINE)
    monkeypatch.setattr(search, "RESULTS", tmp_path)
    monkeypatch.setattr(results_file, "RESULTS", tmp_path)
    monkeypatch.setattr(search, "ProcessPoolExecutor", lambda processes, mp_context: ThreadPoolExecutor(1))
    return run


def test_a_search_leaves_a_table_figures_and_a_plot(curves: pd.DataFrame, replayed, capsys) -> None:
    compared = (DEFAULT, PLAIN_RAY, PLAIN_RAY_IN_FULL, EXHAUSTIVE)
    results = replayed(curves, compared, "--seeds", "2")
    rows = json.loads((results / "search.json").read_text())["rows"]
    assert [row["search"] for row in rows] == [f"**{DEFAULT}**", *compared[1:]]
    assert rows[0]["duplicates"] == rows[3]["duplicates"] == 0
    assert (results / "search.png").stat().st_size > 10_000
    text = (results / "search.md").read_text()
    assert "30 configurations of recbole on ml-100k, 3 seeds each" in text
    assert "of plain Ray Tune's" in capsys.readouterr().out


def test_a_wide_space_has_results_of_its_own_without_exhaustive_search_and_duplicates(
    wide_curves: pd.DataFrame, replayed, capsys
) -> None:
    compared = (DEFAULT, PLAIN_RAY, PLAIN_RAY_IN_FULL, RANDOM)
    results = replayed(wide_curves, compared, "--space", "narm", "--seeds", "2", "--trials", "12")
    record = json.loads((results / "search_narm.json").read_text())
    assert record["command"] == "python -m benchmarks.search --space narm --seeds 2 --trials 12"
    assert [row["search"] for row in record["rows"]] == [f"**{DEFAULT}**", *compared[1:]]
    assert "duplicates" not in record["rows"][0]
    assert {path.name for path in results.iterdir()} == {"search_narm.json", "search_narm.md", "search_narm.png"}
    text = (results / "search_narm.md").read_text()
    assert "60 configurations of narm on ml-100k, one seed each, 12 epochs at most" in text
    assert "a search of 12 trials" in text
    assert "nan" not in text
    assert "RecBole, exhaustive" not in text
    assert re.search(rf"regret at the end\): \d+% of \*{DEFAULT}\* \(", capsys.readouterr().out)


def test_it_is_told_what_the_default_configuration_counts_as(wide_table: CurveTable) -> None:
    default = wide_table.space.from_options(Config.from_flat({}))
    assert default is not None
    regret = wide_table.regrets()[wide_table.index(default)]
    assert f"that one is {regret:.1%} below the best" in search.how(wide_table, 100)


def test_a_wide_space_is_searched_with_the_trials_of_its_preset(table: CurveTable, wide_table: CurveTable) -> None:
    assert PRESETS[search.WIDE].space == wide_table.space.name
    assert search.number_of_trials(None, wide_table) == PRESETS[search.WIDE].trials
    assert search.number_of_trials(7, wide_table) == 7
    assert search.number_of_trials(None, table) == 30
    with pytest.raises(InputError, match="recbole is finite, and a search tries all of its 30 configurations"):
        search.number_of_trials(7, table)
    with pytest.raises(InputError, match="trials: 0 is below 1"):
        search.number_of_trials(0, wide_table)


def test_a_search_can_be_sent_to_another_process(table: CurveTable) -> None:
    sent = pickle.loads(pickle.dumps(partial(search.run, table, trials=30)))  # noqa: S301 - what the pool does
    assert sent((PLAIN_RAY, 1)).epochs == search.run(table, (PLAIN_RAY, 1), trials=30).epochs


def test_a_table_that_is_not_there_is_one_line_on_stderr(curves: pd.DataFrame, monkeypatch, capsys) -> None:
    monkeypatch.setattr(search, "load_curves", lambda: curves.head(0))
    assert run_command(search.main, []) == 2
    assert capsys.readouterr().err.startswith("error: curves: 30 of the 30 curves of recbole are missing")


def test_searches_without_success_count_with_all_their_epochs(table: CurveTable) -> None:
    outcomes = [search.run(table, (EXHAUSTIVE, seed), trials=30) for seed in range(6)]
    row = search.row(EXHAUSTIVE, outcomes)
    spent = sorted(one.reached(0.01) or one.epochs for one in outcomes)
    assert row["within 1 %"].startswith(f"{(spent[2] + spent[3]) / 2:.0f} (")
    assert row["by"] == f"{sum(one.reached(0.01) is not None for one in outcomes) / 6:.0%}"


def test_the_noise_of_the_table_is_told(table: CurveTable) -> None:
    spread = (table.finals.var(axis=1, ddof=1).mean()) ** 0.5
    told = search.noise(table)
    assert f"{spread:.4f}" in told
    assert f"{int((table.regrets() <= 0.05).sum())} within 5 %" in told


def test_a_single_seed_is_said_to_hide_its_noise(wide_table: CurveTable) -> None:
    told = search.noise(wide_table)
    assert f"The best value is {wide_table.values.max():.4f}. With a single seed" in told
    assert "standard deviation" not in told


def test_it_is_told_how_well_a_recorded_point_stands_in_for_another(wide_table: CurveTable) -> None:
    smooth = replace(
        wide_table, curves=tuple((np.array([float(point["n_layers"])]),) for point in wide_table.configurations)
    )
    rng = np.random.default_rng(1)
    rough = replace(wide_table, curves=tuple((rng.random(1),) for _ in wide_table.configurations))
    correlations = [float(re.search(r"correlates by (\S+) ", search.noise(table))[1]) for table in (smooth, rough)]
    assert correlations[0] > 0.5 > correlations[1] + 0.1


@pytest.mark.parametrize("objective", ["mrr_at_10", "recall_at_10"])
def test_any_metric_of_the_table_can_be_searched_by(curves: pd.DataFrame, objective: str) -> None:
    table = search.curve_table(curves, search.load_space("recbole"), objective)
    assert search.run(table, (DEFAULT, 0), trials=30).regrets[-1] < 0.2
