"""The command: what is missing is trained, and nothing twice."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import results_file
from benchmarks.knobs import __main__ as knobs
from benchmarks.knobs import candidates, data_sets, report, store, training_run
from benchmarks.knobs.candidates import Candidate, values
from benchmarks.knobs.data_sets import DataSet
from benchmarks.knobs.protocol import Run
from narm.data.sessions import Splits
from narm.errors import InputError
from narm.training import NonFiniteLoss

RING = DataSet(
    name="ring",
    base={
        "embedding_size": 8,
        "hidden_size": 12,
        "train_batch_size": 64,
        "learning_rate": 0.01,
        "epochs": 2,
        "valid_metric": "MRR@10",
    },
)
BIAS = Candidate(name="bias", source="someone", what="the GRU has biases", variants=values("gru_bias", True))
EVENTS = Candidate(
    name="events", source="someone", what="events are dropped", variants=values("event_dropout", 0.1, 0.2)
)


@pytest.fixture(autouse=True)
def _small_benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ring_splits: Splits) -> None:
    """One data set and two candidates, results in a folder of the test's own, threads in place of processes."""
    for module in (knobs, training_run):
        monkeypatch.setattr(module, "DATA_SETS", {"ring": RING})
    monkeypatch.setattr(knobs, "CANDIDATES", {"bias": BIAS, "events": EVENTS})
    monkeypatch.setattr(knobs, "ProcessPoolExecutor", lambda processes, mp_context: ThreadPoolExecutor(processes))
    monkeypatch.setattr(training_run, "load", lambda data, share: ring_splits)
    monkeypatch.setattr(store, "RUNS", tmp_path / "knobs.parquet")
    monkeypatch.setattr(results_file, "RESULTS", tmp_path)
    monkeypatch.setattr(report, "write_results", lambda name, **given: given)


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """The runs that the command asks for; their values are made up."""
    runs: list[Run] = []

    def train(run: Run, folder: Path | None) -> dict[str, object]:
        runs.append(run)
        identity = {"data_set": run.data_set, "options": run.options, "seed": run.seed}
        return {**identity, "value": 0.1 + run.seed % 7 / 1000, "best_epoch": 1, "epochs": 2, "seconds": 1.0}

    monkeypatch.setattr(knobs, "train", train)
    return runs


def test_a_run_is_worth_its_best_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    fit: Callable = training_run.fit
    values = []

    def remember(*given: object, **named: object):
        for epoch in fit(*given, **named):
            values.append(epoch.valid["mrr_at_10"])
            yield epoch

    monkeypatch.setattr(training_run, "fit", remember)
    options = {**RING.base, "label_smoothing": 0.1, "event_dropout": 0.1}
    row = training_run.train(Run(data_set="ring", options=json.dumps(options), seed=7), None)
    assert values[0] != values[1]
    assert row["value"] == row["mrr_at_10"] == max(values)
    assert 0 < row["mrr_at_10"] <= row["ndcg_at_10"] <= row["recall_at_10"] <= row["recall_at_20"] <= 1
    assert row["epochs"] == 2
    assert row["best_epoch"] in (1, 2)
    assert row["seconds"] > 0


@pytest.mark.parametrize(
    "change",
    [{}, {"event_dropout": 0.5}, {"label_smoothing": 0.3}, {"separate_output": True}, {"bpr_max": 0.0},
     {"initial_scale": 10.0}, {"unit_events": True}, {"gru_bias": True}],
    ids=str,
)  # fmt: skip
def test_every_change_trains_something_else(change: dict[str, object]) -> None:
    def train(options: dict[str, object]) -> dict[str, object]:
        row = training_run.train(Run(data_set="ring", options=json.dumps({**RING.base, **options}), seed=7), None)
        return {name: row[name] for name in training_run.METRICS}

    assert (train(change) == train({})) == (not change)


def test_a_run_that_fails_is_recorded_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    fit: Callable = training_run.fit

    def fail_in_the_second_epoch(*given: object, **named: object):
        yield next(fit(*given, **named))
        raise NonFiniteLoss("the loss is nan")

    monkeypatch.setattr(training_run, "fit", fail_in_the_second_epoch)
    row = training_run.train(Run(data_set="ring", options=json.dumps(RING.base), seed=7), None)
    assert math.isnan(row["value"])
    assert math.isnan(row["mrr_at_10"])
    assert row["epochs"] == 1


def test_nothing_is_trained_twice(made_up: list[Run]) -> None:
    assert knobs.main(["--candidates", "bias"]) == 0
    before = store.load_runs()
    assert len(before) == len(made_up) == len(set(made_up)) == 3 + 4 + 3 + 2
    made_up.clear()
    assert knobs.main([]) == 0
    assert made_up
    assert all("event_dropout" in run.options for run in made_up)
    pd.testing.assert_frame_equal(store.load_runs().head(len(before)), before)
    made_up.clear()
    assert knobs.main([]) == 0
    assert made_up == []


def test_an_interrupted_command_goes_on_where_it_stood(made_up: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    train = knobs.train

    def interrupt_at_the_fifth(run: Run, folder: Path | None) -> dict[str, object]:
        if len(made_up) == 4:
            raise KeyboardInterrupt
        return train(run, folder)

    monkeypatch.setattr(knobs, "train", interrupt_at_the_fifth)
    with pytest.raises(KeyboardInterrupt):
        knobs.main(["--processes", "1"])
    assert len(store.load_runs()) == 4
    monkeypatch.setattr(knobs, "train", train)
    assert knobs.main([]) == 0
    assert len(store.load_runs()) == len(made_up) == len(set(made_up))


def test_the_table_alone_trains_nothing(made_up: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    tables = []
    monkeypatch.setattr(report, "write_results", lambda name, **given: tables.append((name, given)))
    assert knobs.main(["--table"]) == 0
    assert made_up == []
    assert [(name, [row["candidate"] for row in given["rows"]]) for name, given in tables] == [
        ("knobs", ["base", "bias", "events"])
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sets", "rings"], "--sets: there is no 'rings'; did you mean 'ring'?"),
        (["--candidates", "bias,event"], "--candidates: there is no 'event'; did you mean 'events'?"),
    ],
)
def test_a_wrong_name_is_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(InputError) as error:
        knobs.main(arguments)
    assert str(error.value) == message


def test_narm_or_the_experiments_have_all_options_of_all_candidates() -> None:
    knobs.check_options(list(data_sets.DATA_SETS.values()), list(candidates.CANDIDATES.values()))


def test_an_option_that_narm_does_not_have_is_refused_before_anything_is_trained(
    made_up: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Candidate(name="wrong", source="", what="", variants=values("hidden", 3))
    monkeypatch.setattr(knobs, "CANDIDATES", {"wrong": wrong})
    with pytest.raises(InputError, match=r"^candidate wrong on ring: unknown option 'hidden'"):
        knobs.main([])
    assert made_up == []


def test_data_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with_files = DataSet(name="files", base=RING.base, files={"dataset": "train.txt"})
    with pytest.raises(InputError, match=r"^--data: files needs the folder that has train.txt; or leave it out"):
        with_files.require_files(None)
    with pytest.raises(InputError, match=r"train.txt: no such file; --data names the folder that has it$"):
        with_files.require_files(tmp_path)
