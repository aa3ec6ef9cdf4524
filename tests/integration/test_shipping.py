"""From a search to answers: the winner is registered, loads by its alias, and `mlflow models serve` runs it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import mlflow.pyfunc
import pandas as pd
import pytest
from mlflow import MlflowClient

from benchmarks.model_server import model_server
from experiments import search
from experiments.cli.running import run_command
from experiments.tuning.engine.verdict import judge_finalists
from experiments.tuning.study.summary import Comparison, Finals, read_summary
from narm.recommending import Recommender

MODEL = "models:/narm-synthetic@champion"
SESSIONS = [[1, 2, 3], [50], [7] * 60, [8, 10**9], list(range(1, 40))]


@pytest.fixture(scope="module")
def recommender(searched) -> Recommender:
    """The model to ship, as a file."""
    return Recommender.load(searched.folder / "winner.pt")


def test_a_search_registers_what_it_recommends_as_champion(searched):
    version = searched.client.get_model_version_by_alias("narm-synthetic", "champion")
    recommended = read_summary(searched.folder / "summary.json").recommended
    parent = searched.client.get_run(version.run_id)
    assert parent.data.tags["recommended"] == version.tags["trial"] == str(recommended)
    assert parent.data.metrics["test_mrr_at_10"] == pytest.approx(float(version.tags["test_mrr_at_10"]))
    assert version.tags["narm.study"] == parent.data.tags["narm.study"]
    trial = searched.client.get_run(version.tags["trial_run_id"])
    assert trial.data.tags["trial_number"] == version.tags["trial"]
    assert version.tags["fingerprint"] == searched.summary["dataset"]["fingerprint"]
    assert parent.info.status == "FINISHED"


@pytest.mark.usefixtures("one_ray")
def test_what_validation_prefers_is_shipped_though_test_does_not_bear_it_out(output, monkeypatch):
    def doubt(*arguments: Any, **settings: Any) -> Finals:
        finals = judge_finalists(*arguments, **settings)
        other, default = sorted(finals.finalists, key=lambda finalist: finalist.is_default)
        worse = Comparison(
            metric="MRR@10", against=default.number, difference=-0.02, low=-0.03, high=-0.01, seeds="held"
        )
        return replace(finals, winner=other.number, finalists=[other, default], comparisons=[worse])

    monkeypatch.setattr("experiments.tuning.driver.study_run.judge_finalists", doubt)
    fixed = ["--preset", "smoke", "--study", "s", "--output", str(output), "--quiet", "--refit", "none"]
    size = ["--trials", "2", "--epochs", "2", "--finalists", "2", "--finalist-seeds", "1", "--concurrency", "1"]
    assert run_command(search.main, [*fixed, *size]) == 0
    [checkpoint] = (output / "s" / "finalists").glob("0001-*.pt")
    assert (output / "s" / "winner.pt").read_bytes() == checkpoint.read_bytes()
    assert (
        MlflowClient(f"sqlite:///{output}/mlflow.db")
        .get_model_version_by_alias("narm-synthetic", "champion")
        .tags["trial"]
        == "1"
    )


def test_the_champion_answers_as_the_python_call_does(searched, recommender, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", searched.tracking_uri)
    answer = mlflow.pyfunc.load_model(MODEL).predict(pd.DataFrame({"session": SESSIONS}))
    expected = recommender.recommend(SESSIONS, k=20)
    assert answer["items"].tolist() == [list(one.items) for one in expected]
    assert answer["scores"].tolist() == [pytest.approx(list(one.scores), abs=1e-6) for one in expected]
    assert answer["unknown"].tolist() == [[], [], [], [str(10**9)], []]


@pytest.fixture
def server(searched, tmp_path) -> Iterator[str]:
    """The address of `mlflow models serve` on the champion."""
    with model_server(MODEL, log=tmp_path / "log", MLFLOW_TRACKING_URI=searched.tracking_uri) as port:
        yield f"http://127.0.0.1:{port}"


def ask(server: str, **content: Any) -> Any:
    request = urllib.request.Request(
        f"{server}/invocations", json.dumps(content).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_the_served_champion_gives_the_same_top_20_over_http(recommender, server):
    expected = recommender.recommend(SESSIONS, k=20)
    for content in ({"inputs": SESSIONS}, {"dataframe_records": [{"session": session} for session in SESSIONS]}):
        predictions = ask(server, **content)["predictions"]
        assert [row["items"] for row in predictions] == [list(one.items) for one in expected]
        assert [len(row["items"]) for row in predictions] == [20] * len(SESSIONS)
    short = ask(server, inputs=SESSIONS[:1], params={"k": 3})["predictions"]
    assert [row["items"] for row in short] == [list(expected[0].items[:3])]
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(server, dataframe_records=[{"basket": [1]}])
    with refused.value as answer:
        assert answer.code == 400
