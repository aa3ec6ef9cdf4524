"""Searches of models other than NARM, on synthetic data through the real Ray, Optuna and MLflow."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from experiments import search
from experiments.cli.running import run_command
from narm.checkpoint import load_model
from narm.config import Config, DataConfig, EvaluationConfig
from narm.data.datasets import load_splits
from narm.evaluation.full_ranking import evaluate

pytestmark = pytest.mark.usefixtures("one_ray")


def run_search(output: Path, *arguments: str) -> dict[str, Any]:
    """A search of the smoke preset; its summary."""
    fixed = ["--preset", "smoke", "--study", "s", "--output", str(output), "--quiet", "--concurrency", "1"]
    assert run_command(search.main, [*fixed, *arguments]) == 0
    return json.loads((output / "s" / "summary.json").read_text())


def test_a_baseline_is_searched_judged_and_shipped(output):
    space = output / "mine.yaml"
    space.write_text("k_neighbors: [5, 50]\n")
    summary = run_search(output, "--model", "v_sknn", "--space", str(space), "--trials", "9")
    assert [trial["state"] for trial in summary["trials"]] == ["COMPLETE"] * 3  # the space's two, and the default
    assert all(trial["epochs"] == 1 for trial in summary["trials"])
    values = {json.dumps(trial["params"]): trial["value"] for trial in summary["trials"]}
    assert len(set(values.values())) > 1
    (winner, *_) = summary["finals"]["finalists"]
    splits = load_splits(DataConfig(dataset="synthetic"))
    test = partial(evaluate, examples=splits.test, config=EvaluationConfig(), max_length=splits.max_length)
    run = output / "s" / "finalists" / f"{winner['number']:04d}-{winner['seeds'][0]}.pt"
    assert test(load_model(run))["mrr_at_10"] == winner["test"]["mrr_at_10"]["mean"]
    refit = summary["finals"]["shipping"]["refit"]
    assert test(load_model(output / "s" / "winner.pt"))["mrr_at_10"] == refit["model"]["test"]["mrr_at_10"]
    assert refit["epochs"] == [1]

    client = MlflowClient(f"sqlite:///{output}/mlflow.db")
    runs = client.search_runs([client.get_experiment_by_name("synthetic").experiment_id])
    (parent,) = (run for run in runs if "mlflow.parentRunId" not in run.data.tags)
    assert parent.data.params["model"] == "v_sknn"
    assert not {"hidden_size", "rule_steps", "k_neighbors"} & parent.data.params.keys()
    assert all("train_loss" not in run.data.metrics for run in runs)


def test_what_has_no_options_is_searched_in_one_trial(output):
    summary = run_search(output, "--model", "pop", "--finalists", "0")
    assert [trial["params"] for trial in summary["trials"]] == [{}]


def test_an_ablation_is_searched_as_narm_is(output):
    arguments = ["--model", "global", "--space", "smoke", "--trials", "2", "--finalists", "0", "--epochs", "2"]
    summary = run_search(output, *arguments)
    assert len(summary["trials"]) == 2
    (checkpoint, *_) = sorted((output / "s" / "checkpoints").rglob("*.pt"))
    model = load_model(checkpoint)
    assert model.config == Config.from_flat(model="global").model  # trial 0 is the default configuration
