"""Searches of models other than NARM, on synthetic data through the real Ray, Optuna and MLflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from experiments import compare, ray_session, search, sync
from experiments.command_line import run_command
from narm.checkpoint import load_model
from narm.config import Config, DataConfig, EvaluationConfig
from narm.data.datasets import load_splits
from narm.evaluation import evaluate

pytestmark = pytest.mark.integration


def run_search(output: Path, *arguments: str) -> dict[str, Any]:
    """A search of the smoke preset; its summary."""
    fixed = ["--preset", "smoke", "--study", "s", "--output", str(output), "--quiet"]
    assert run_command(search.main, [*fixed, *arguments]) == 0
    return json.loads((output / "s" / "summary.json").read_text())


def test_a_baseline_is_searched_judged_and_shipped(tmp_path):
    space = tmp_path / "mine.yaml"
    space.write_text("k_neighbors: [5, 50]\n")
    summary = run_search(tmp_path, "--model", "v_sknn", "--space", str(space), "--trials", "9")
    assert [trial["state"] for trial in summary["trials"]] == ["COMPLETE"] * 3  # the space's two, and the default
    assert all(trial["epochs"] == 1 for trial in summary["trials"])
    values = {json.dumps(trial["params"]): trial["value"] for trial in summary["trials"]}
    assert len(set(values.values())) > 1
    (winner, *_) = summary["finals"]["finalists"]
    (shipped,) = (tmp_path / "s" / "finalists").glob(f"{winner['number']:04d}-*.pt")
    splits = load_splits(DataConfig(dataset="synthetic"))
    judged = evaluate(load_model(shipped), splits.test, EvaluationConfig(), max_length=splits.max_length)
    assert judged["mrr_at_10"] == winner["test"]["mrr_at_10"]["mean"]

    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    runs = client.search_runs([client.get_experiment_by_name("synthetic").experiment_id])
    (parent,) = (run for run in runs if "mlflow.parentRunId" not in run.data.tags)
    assert parent.data.params["model"] == "v_sknn"
    assert not {"hidden_size", "rule_steps", "k_neighbors"} & parent.data.params.keys()
    assert all("train_loss" not in run.data.metrics for run in runs)


def test_what_has_no_options_is_searched_in_one_trial(tmp_path):
    summary = run_search(tmp_path, "--model", "pop", "--finalists", "0")
    assert [trial["params"] for trial in summary["trials"]] == [{}]


def test_an_ablation_is_searched_as_narm_is(tmp_path):
    arguments = ["--model", "global", "--space", "smoke", "--trials", "2", "--finalists", "0", "--epochs", "2"]
    summary = run_search(tmp_path, *arguments)
    assert len(summary["trials"]) == 2
    (checkpoint, *_) = sorted((tmp_path / "s" / "checkpoints").rglob("*.pt"))
    model = load_model(checkpoint)
    assert model.config == Config.from_flat(model="global").model  # trial 0 is the default configuration


def test_models_are_compared_in_one_ray_and_a_comparison_that_is_repeated_trains_nothing(tmp_path, monkeypatch, capsys):
    starts = []
    start = ray_session._start
    monkeypatch.setattr(ray_session, "_start", lambda *arguments: starts.append(start(*arguments)))
    command = ["--study", "c", "--dataset", "synthetic", "--models", "s_pop,sr", "--output", str(tmp_path)]
    command += ["--trials", "3", "--metrics", "MRR@10", "--topk", "10", "--objective", "MRR@10"]
    assert run_command(compare.main, command) == 0
    assert len(starts) == 1
    assert "is the best on validation, by MRR@10" in capsys.readouterr().out
    (found,) = tmp_path.glob("c/comparison.json")
    before, studies = found.read_text(), sorted(tmp_path.glob("c-*/finalists/*.npz"))
    assert {path.parents[1].name for path in studies} == {"c-s_pop", "c-sr"}
    changed = [path.stat().st_mtime_ns for path in studies]
    assert run_command(compare.main, [*command, "--quiet"]) == 0
    assert [path.stat().st_mtime_ns for path in studies] == changed
    assert json.loads(found.read_text())["rows"] == json.loads(before)["rows"]
    check_run_of_comparison(tmp_path, json.loads(before)["rows"])


def check_run_of_comparison(output: Path, rows: list[dict[str, Any]]) -> None:
    """MLflow has one run of the comparison, after however many calls."""
    client = MlflowClient(f"sqlite:///{output}/mlflow.db")
    experiment = client.get_experiment_by_name("synthetic").experiment_id
    (run,) = client.search_runs([experiment], "tags.kind = 'comparison'")
    assert (run.info.run_name, run.info.status) == ("c", "FINISHED")
    assert run.data.metrics == {
        f"{row['model']}_{name}": figure["mean"]
        for row in rows
        for name, figure in [("mrr_at_10", row["test"]["MRR@10"]), ("valid_mrr_at_10", row["valid"])]
    }
    best, other = (row["model"] for row in rows)
    assert {"best_model": best, "models": f"{best}, {other}", "study": "c"}.items() <= run.data.tags.items()
    assert run.data.params == {"dataset": "synthetic", "objective": "MRR@10", "seed": "2020"}
    assert run.data.tags["mlflow.note.content"].startswith(f"{best} is the best on validation, by MRR@10.")
    artifacts = {artifact.path for artifact in client.list_artifacts(run.info.run_id)}
    assert artifacts == {"comparison.json", "comparison.md", "by_length.png"}
    assert run_command(sync.main, ["c", "--output", str(output)]) == 0
