"""Searches on synthetic data through the real Ray, Optuna and MLflow: what the stores then hold."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from optuna.trial import TrialState
from support.accidents import train_with
from support.finished_search import FinishedSearch

from experiments import replay, search
from experiments.cli.running import run_command
from experiments.tuning.study.job_log import jobs_in
from experiments.tuning.worker.jobs import Job
from narm.checkpoint import load_model
from narm.config import Config, DataConfig, EvaluationConfig
from narm.data.datasets import load_splits
from narm.evaluation.full_ranking import evaluate
from narm.seeds import derived_seed

METRICS = {f"{name}_at_10" for name in ("recall", "mrr", "ndcg", "hit", "precision")}


def run_search(output: Path, *arguments: str) -> FinishedSearch:
    fixed = ["--preset", "smoke", "--study", "s", "--output", str(output), "--quiet", "--concurrency", "1"]
    return FinishedSearch(output, "s", run_command(search.main, [*fixed, *arguments]))


def test_the_search_succeeds_and_leaves_nothing_running(searched):
    assert searched.status == 0
    searched.assert_settled()


def test_the_finite_space_is_exhausted_without_a_repetition(searched):
    trials = searched.study.trials
    assert len(trials) == 5  # the space's four, and the default outside it
    assert trials[0].params == {}
    assert len({tuple(trial.params.items()) for trial in trials}) == 5


def test_every_epoch_is_in_the_study_under_its_own_number(searched):
    for trial in searched.study.trials:
        attributes = trial.user_attrs | trial.user_attrs["progress"]
        assert list(trial.intermediate_values) == list(range(1, attributes["epochs"] + 1))
        values = list(trial.intermediate_values.values())
        assert values == sorted(values)  # the best so far
        assert trial.value == values[-1] == attributes["valid"]["mrr_at_10"]
        assert 1 <= attributes["best_epoch"] <= attributes["epochs"] <= 3
        assert attributes["seed"] == derived_seed(2020, trial.number)
        assert attributes["reason"]


def test_the_default_configuration_is_trained_to_the_end(searched):
    default = searched.study.trials[0]
    assert default.user_attrs["default"]
    assert default.state is TrialState.COMPLETE
    assert searched.summary["default"] == {"number": 0, "valid": default.user_attrs["progress"]["valid"]}


def test_mlflow_has_one_parent_and_one_child_a_trial(searched):
    parent, children = searched.parent(), searched.children()
    assert parent.info.status == "FINISHED"
    assert parent.info.run_name == searched.name
    assert set(children) == {trial.number for trial in searched.study.trials}
    assert {run.data.tags["mlflow.parentRunId"] for run in children.values()} == {parent.info.run_id}


def test_each_training_of_a_finalist_is_a_run_of_its_own(searched):
    finals, parent, children = searched.summary["finals"], searched.parent(), searched.children()
    trained = searched.of_kind("finalist")
    assert len(trained) == sum(len(finalist["seeds"]) for finalist in finals["finalists"])
    for finalist in finals["finalists"]:
        of_one = [run for run in trained if run.data.tags["trial_number"] == str(finalist["number"])]
        assert {int(run.data.tags["seed"]) for run in of_one} == set(finalist["seeds"])
        mean = sum(run.data.metrics["test_mrr_at_10"] for run in of_one) / len(of_one)
        assert mean == pytest.approx(finalist["test"]["mrr_at_10"]["mean"])
        assert {run.info.run_name for run in of_one} == {f"finalist {finalist['number']}.{i}" for i in (1, 2)}
        for run in of_one:
            assert run.data.params == children[finalist["number"]].data.params
            assert run.data.tags["trial_run_id"] == children[finalist["number"]].info.run_id
            assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id


def test_runs_can_be_read_at_a_glance(searched):
    parent, children = searched.parent(), searched.children()
    assert parent.data.tags["mlflow.note.content"].startswith(f"## Ship trial {searched.summary['finals']['winner']}: ")
    assert children[0].data.tags["mlflow.note.content"].startswith("Trained to its end after ")
    assert [children[number].data.tags["origin"] for number in sorted(children)] == ["default"] + ["sampler"] * 4
    assert children[0].data.metrics["n_parameters"] > children[1].data.metrics["n_parameters"] > 1000
    for run in searched.runs():
        [data] = run.inputs.dataset_inputs
        assert data.dataset.name == "synthetic"
        assert searched.summary["dataset"]["fingerprint"].startswith(data.dataset.digest)
        assert run.data.tags["study"] == searched.name
    assert parent.data.metrics["system/driver_memory_megabytes"] > 1  # --system-metrics


def test_every_metric_of_every_epoch_is_in_mlflow(searched):
    for trial in searched.study.trials:
        run = searched.children()[trial.number]
        for name in METRICS | {"train_loss", "epoch_seconds", "targets_per_second"}:
            history = searched.client.get_metric_history(run.info.run_id, name)
            assert [metric.step for metric in history] == list(trial.intermediate_values), name
        assert next(iter(run.data.metrics)) == "best_mrr_at_10"  # which MLflow preselects where trials are compared
        assert run.data.metrics["best_mrr_at_10"] == trial.value
        assert run.data.tags["state"] == trial.state.name
        assert run.data.tags["reason"] == trial.user_attrs["reason"]


def test_parameters_are_flat_in_mlflow(searched):
    assert searched.children()[0].data.params == {"learning_rate": "0.001", "hidden_size": "128"}
    fixed = searched.parent().data.params
    assert fixed["dropout_probs_0"] == "0.25"
    assert fixed["epochs"] == "3"
    assert "hidden_size" not in fixed  # it varies


def test_the_parent_holds_what_is_needed_to_repeat_the_study(searched):
    parent, client = searched.parent(), searched.client
    artifacts = {
        file.path
        for folder in ("", "figures", "space", "winner")
        for file in client.list_artifacts(parent.info.run_id, folder)
        if not file.is_dir
    }
    assert artifacts == {
        "config.json", "environment.json", "summary.json", "space/smoke.yaml", "winner/model.pt", "report.html",
        *(f"figures/{path.name}" for path in (searched.folder / "figures").iterdir()),
    }  # fmt: skip
    config = json.loads(Path(client.download_artifacts(parent.info.run_id, "config.json")).read_text())
    assert Config.from_flat(config).training.epochs == 3


def test_the_report_is_in_the_folder_and_in_mlflow(searched):
    page = searched.folder / "report.html"
    kept = searched.client.download_artifacts(searched.parent().info.run_id, "report.html")
    assert Path(kept).read_bytes() == page.read_bytes()
    assert page.read_text().count("<tr data-state=") == 5
    figures = {path.name for path in (searched.folder / "figures").iterdir()}
    assert {"learning_curves.png", "optimization_history.png", "slices.png", "timeline.png"} <= figures


def test_the_summary_agrees_with_the_study(searched):
    summary, trials = searched.summary, searched.study.trials
    assert [(t["number"], t["state"], t["value"]) for t in summary["trials"]] == [
        (t.number, t.state.name, t.value) for t in trials
    ]
    assert sum(summary["counts"].values()) == 5
    assert summary["best"]["valid"]["mrr_at_10"] == max(trial.value for trial in trials)
    assert {t["mlflow_run_id"] for t in summary["trials"]} == {r.info.run_id for r in searched.children().values()}
    assert summary["timing"]["training_s"] > 0
    assert summary["dataset"]["name"] == "synthetic"


def test_the_checkpoint_to_ship_is_the_model_that_was_measured(searched):
    run_id = searched.parent().info.run_id
    model = load_model(Path(searched.client.download_artifacts(run_id, "winner/model.pt")))
    splits, finals = load_splits(DataConfig(dataset="synthetic")), searched.summary["finals"]
    test = evaluate(model, splits.test, EvaluationConfig(), max_length=splits.max_length)
    assert test["mrr_at_10"] == pytest.approx(finals["shipping"]["refit"]["model"]["test"]["mrr_at_10"])


def fail(job: Job, epochs: int) -> None:
    """One worker dies, in all others training fails."""
    if job.number == 1:
        os._exit(1)
    raise ArithmeticError("the loss is nan in epoch 1")


@pytest.mark.usefixtures("one_ray")
def test_failures_are_told_with_their_reason_and_when_all_fail_the_status_is_3(output, monkeypatch):
    monkeypatch.setattr("experiments.tuning.driver.run.train", train_with(fail))
    failed = run_search(output, "--trials", "3", "--max-failed", "none")
    assert failed.status == 3
    failed.assert_settled()
    reasons = [trial.user_attrs["reason"] for trial in failed.study.trials]
    assert reasons[0] == reasons[2] == "ArithmeticError: the loss is nan in epoch 1"
    assert "died" in reasons[1]
    assert all("traceback" in trial.user_attrs for trial in failed.study.trials)
    assert failed.summary["counts"] == {"complete": 0, "pruned": 0, "failed": 3, "interrupted": 0, "infeasible": 0}
    assert failed.summary["best"] is failed.summary["default"] is failed.summary["finals"] is None


@pytest.mark.usefixtures("one_ray")
def test_the_time_budget_ends_the_search_in_good_order(output):
    ended = run_search(
        output, "--epochs", "100000", "--stopping_step", "100000", "--time-budget", "12s", "--finalists", "0"
    )
    ended.assert_settled()
    assert {trial.user_attrs["reason"] for trial in ended.study.trials} == {"interrupted: time budget"}
    assert ended.parent().data.tags["reason"] == "time budget"
    assert ended.summary["timing"]["wall_s"] < 60


def test_a_signal_ends_the_search_in_good_order(output):
    """SIGTERM; finalists end by SIGINT, in a test of theirs."""
    command = [sys.executable, "-m", "experiments.search", "--preset", "smoke", "--study", "s"]
    endless = ["--epochs", "100000", "--stopping_step", "100000", "--output", str(output), "--concurrency", "1"]
    with subprocess.Popen([*command, *endless], stdout=subprocess.DEVNULL) as process:
        try:
            wait_for_an_epoch(output / "s", process)
            process.send_signal(signal.SIGTERM)
            status = process.wait(timeout=60)
        finally:
            process.kill()
    ended = FinishedSearch(output, "s", status)
    assert ended.status == 130
    ended.assert_settled()
    assert ended.parent().data.tags["reason"] == "interrupted"
    assert "INTERRUPTED" in [trial["state"] for trial in ended.summary["trials"]]  # it waits for --resume
    assert ended.summary["best"]
    assert ended.summary["finals"] is None


def wait_for_an_epoch(study: Path, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if any(job.epochs for job in jobs_in(study)):
            return
        time.sleep(0.1)
    raise AssertionError(f"no epoch in {seconds} s; status {process.poll()}")


def test_a_trial_that_ray_trained_gets_its_value_again(searched, capsys):
    for trial in searched.study.trials[:2]:
        assert run_command(replay.main, [searched.name, str(trial.number), "--output", str(searched.output)]) == 0
        assert f"{trial.user_attrs['progress']['value']!r}: the same, to the last bit" in capsys.readouterr().out
