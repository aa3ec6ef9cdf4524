"""A comparison of models on synthetic data through the real Ray, Optuna and MLflow."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from support.accidents import train_with

from experiments import compare, sync
from experiments.cli.running import run_command
from experiments.tuning.worker.jobs import Job

pytestmark = pytest.mark.usefixtures("one_ray")


def test_models_are_compared_by_the_same_workers_and_a_comparison_that_is_repeated_trains_nothing(
    output, monkeypatch, capsys
):
    workers = output / "workers"
    workers.touch()

    def note(job: Job, epochs: int) -> None:
        if epochs == 0:
            with workers.open("a") as file:
                file.write(f"{os.getpid()}\n")

    monkeypatch.setattr("experiments.tuning.driver.run.train", train_with(note))
    command = ["--study", "c", "--dataset", "synthetic", "--models", "s_pop,sr", "--output", str(output)]
    command += ["--trials", "3", "--metrics", "MRR@10", "--topk", "10", "--objective", "MRR@10"]
    assert run_command(compare.main, command) == 0
    jobs = workers.read_text().split()
    assert len(jobs) == 6  # a trial and a finalist of s_pop, three and one of sr
    assert len(set(jobs)) <= 2
    assert "is the best on validation, by MRR@10" in capsys.readouterr().out
    (found,) = output.glob("c/comparison.json")
    before, studies = found.read_text(), sorted(output.glob("c-*/finalists/*.npz"))
    assert {path.parents[1].name for path in studies} == {"c-s_pop", "c-sr"}
    changed = [path.stat().st_mtime_ns for path in studies]
    assert run_command(compare.main, [*command, "--quiet"]) == 0
    assert [path.stat().st_mtime_ns for path in studies] == changed
    assert workers.read_text().split() == jobs
    assert json.loads(found.read_text())["rows"] == json.loads(before)["rows"]
    check_run_of_comparison(output, json.loads(before)["rows"])


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
