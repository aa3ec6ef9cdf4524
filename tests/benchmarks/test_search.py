"""The command: every method runs, and its table says what it is."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import results_file, search
from benchmarks.machine import Machine
from benchmarks.recorded_space import recorded_space
from benchmarks.replay.curve_model import CurveModel
from benchmarks.replay.measures import Outcome
from benchmarks.replay.methods import (
    DEFAULT,
    EXHAUSTIVE,
    PLAIN_RAY,
    PLAIN_RAY_IN_FULL,
    RANDOM,
    default_method,
)
from benchmarks.replay.table import CurveTable
from experiments.cli.presets import PRESETS
from experiments.cli.running import run_command
from narm.config import Config
from narm.errors import InputError
from search_spaces.space import load_space

MACHINE = Machine(
    cpu="a CPU", instruction_set="AVX2", n_cores=1, memory_gib=1.0, system="a system", python="3.11",
    versions={"torch": "2.13"}, n_threads=1, sgemm_gflops=1.0,
)  # fmt: skip


@pytest.fixture
def replayed(tmp_path: Path, monkeypatch):
    """Run the command on curves, of a few methods and in this process; the folder of its results."""

    def run(curves: pd.DataFrame, compared: Sequence[str], *arguments: str) -> Path:
        every = search.methods_for
        monkeypatch.setattr(search, "methods_for", lambda space: {name: every(space)[name] for name in compared})
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


def test_a_wide_space_has_results_of_its_own_without_exhaustive_search(
    wide_curves: pd.DataFrame, replayed, capsys
) -> None:
    default = default_method(recorded_space("narm"), 12)
    compared = (default, DEFAULT, PLAIN_RAY, RANDOM)
    results = replayed(wide_curves, compared, "--space", "narm", "--seeds", "2", "--trials", "12")
    record = json.loads((results / "search_narm.json").read_text())
    assert record["command"] == "python -m benchmarks.search --space narm --seeds 2 --trials 12"
    assert [row["search"] for row in record["rows"]] == [f"**{default}**", *compared[1:]]
    assert {path.name for path in results.iterdir()} == {"search_narm.json", "search_narm.md", "search_narm.png"}
    text = (results / "search_narm.md").read_text()
    assert "67 trainings at 60 random points of narm on ml-100k, 7 of them with another seed, 12 epochs" in text
    assert "A search has 12 trials" in text
    assert "nan" not in text
    assert "RecBole, exhaustive" not in text
    told = capsys.readouterr().out
    assert re.search(rf"The default, \*{default}\*, ends at [\d.]+ % below the best with \d+ epochs", told)
    assert re.search(rf"{re.escape(PLAIN_RAY)}\* ends at [\d.]+ % below the best, which the default has ", told)


def test_epochs_are_told_after_which_the_mean_regret_is_small_enough() -> None:
    outcomes = [
        Outcome(epochs=len(regrets), trials=1, duplicates=0, found=None, regrets=np.array(regrets))
        for regrets in ([0.5, 0.3, 0.1], [0.5, 0.1])  # in the mean 0.5, 0.2, 0.1
    ]
    assert [search.epochs_to(regret, outcomes) for regret in (0.6, 0.2, 0.11, 0.05)] == [1, 2, 3, None]


def test_a_wide_space_is_searched_with_the_trials_of_its_preset() -> None:
    finite, wide = load_space("recbole"), recorded_space("narm")
    assert PRESETS[search.WIDE].space == wide.name
    assert search.number_of_trials(None, wide) == PRESETS[search.WIDE].trials
    assert search.number_of_trials(7, wide) == 7
    assert search.number_of_trials(None, finite) == 30
    with pytest.raises(InputError, match="recbole is finite, and a search tries all of its 30 configurations"):
        search.number_of_trials(7, finite)
    with pytest.raises(InputError, match="trials: 0 is below 1"):
        search.number_of_trials(0, wide)


def test_a_search_can_be_sent_to_another_process(table: CurveTable) -> None:
    sent = pickle.loads(pickle.dumps(partial(search.run, table, trials=30)))  # noqa: S301 - what the pool does
    assert sent((PLAIN_RAY, 1)).epochs == search.run(table, (PLAIN_RAY, 1), trials=30).epochs


def test_a_table_that_is_not_there_is_one_line_on_stderr(curves: pd.DataFrame, monkeypatch, capsys) -> None:
    monkeypatch.setattr(search, "load_curves", lambda: curves.head(0))
    assert run_command(search.main, []) == 2
    assert capsys.readouterr().err.startswith("error: curves: 30 of the 30 curves of recbole are missing")


def test_searches_without_success_count_with_all_their_epochs(table: CurveTable) -> None:
    outcomes = [search.run(table, (EXHAUSTIVE, seed), trials=30) for seed in range(6)]
    row = search.row(EXHAUSTIVE, outcomes, DEFAULT)
    spent = sorted(one.reached(0.01) or one.epochs for one in outcomes)
    assert row["within 1 %"].startswith(f"{(spent[2] + spent[3]) / 2:.0f} (")
    assert row["by"] == f"{sum(one.reached(0.01) is not None for one in outcomes) / 6:.0%}"


def test_the_noise_of_the_table_is_told(table: CurveTable) -> None:
    spread = (table.finals.var(axis=1, ddof=1).mean()) ** 0.5
    told = search.notes_on(table, 30)
    assert f"{spread:.4f}" in told
    assert f"{int((table.regrets <= 0.05).sum())} within 5 %" in told


def test_it_is_told_how_far_a_model_can_be_trusted(model: CurveModel) -> None:
    told = search.notes_on(model, 100)
    default = model.space.from_options(Config.from_flat({}))
    assert default is not None
    assert f"begins, is {model.regret(default):.1%} below it" in told
    correlation = float(re.search(r"correlates by (\S+) ", told)[1])
    assert 0.8 < correlation < 1
    assert f"{model.share_within(0.05):.1%} within 5 %" in told


@pytest.mark.parametrize("objective", ["mrr_at_10", "recall_at_10"])
def test_any_metric_of_the_table_can_be_searched_by(curves: pd.DataFrame, objective: str) -> None:
    table = search.curve_table(curves, load_space("recbole"), objective)
    assert search.run(table, (DEFAULT, 0), trials=30).regrets[-1] < 0.2
