"""The run of a comparison in MLflow, with a server that is there and one that is away."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest
from mlflow import MlflowClient
from support.mlflow_store import prepared_store

from experiments import compare, sync
from experiments.cli.comparison_arguments import build_specs
from experiments.cli.run_comparison import write_comparison
from experiments.cli.running import run_command
from experiments.reporting.model_comparison.recorder import comparison_metrics, record_comparison
from experiments.tracking.outbox import Outbox
from experiments.tuning.engine.model_comparison import Contender, ModelComparison, compare_models
from experiments.tuning.study.dataset import Dataset
from experiments.tuning.study.trial_attributes import SPEC
from experiments.tuning.worker.jobs import Finalist
from experiments.tuning.worker.reports import FinalistRun
from narm.data.datasets import load_splits
from narm.data.sessions import Splits

pytestmark = pytest.mark.slow

AWAY = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def splits() -> Splits:
    return load_splits(build_specs(["pop", "sr"], "c", ["--dataset", "synthetic"])[0].config.data)


def compared(splits: Splits, valid: dict[str, float]) -> ModelComparison:
    """Models that find every target at rank 2, with these values on validation."""
    run = FinalistRun(
        finalist=Finalist(number=0, options={}), seed=1, epochs=1, best_epoch=1, seconds=1.0,
        valid={}, test={}, ranks=np.full(len(splits.test), 2),
    )  # fmt: skip
    contenders = [
        Contender(model=model, params={}, runs=[replace(run, valid={"mrr_at_20": value})], trials=1, seconds=1.0)
        for model, value in valid.items()
    ]
    return compare_models(
        contenders, splits.test, dataset=splits.name, fingerprint=splits.fingerprint, objective="MRR@20",
        metrics=["MRR@20", "Recall@5"], seed=1,
    )  # fmt: skip


def record(output: Path, splits: Splits, uri: str, valid: dict[str, float], missing: Sequence[str] = ()) -> None:
    """Write and log a comparison named `c`."""
    options = ["--dataset", "synthetic", "--output", str(output), "--tracking-uri", uri]
    spec = build_specs(["pop", "sr"], "c", options)[0]
    comparison = compared(splits, valid)
    write_comparison(output / "c", comparison)
    record_comparison(
        comparison, output / "c", of=spec, dataset=Dataset.of(splits, spec.config), without_result=missing
    )


def test_each_model_has_its_figures_under_its_name(splits: Splits) -> None:
    assert comparison_metrics(compared(splits, {"pop": 0.1, "v_sknn": 0.3})) == {
        "pop_mrr_at_20": 0.5, "pop_recall_at_5": 1.0, "pop_valid_mrr_at_20": 0.1,
        "v_sknn_mrr_at_20": 0.5, "v_sknn_recall_at_5": 1.0, "v_sknn_valid_mrr_at_20": 0.3,
    }  # fmt: skip


def test_a_server_that_is_away_costs_a_warning_and_sync_sends_the_run(
    splits: Splits, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    record(tmp_path, splits, AWAY, {"pop": 0.1, "sr": 0.0}, missing=["narm"])
    record(tmp_path, splits, AWAY, {"pop": 0.1, "sr": 0.3})  # repeated, when another model was ahead
    assert f"the rest waits in {tmp_path}/c/outbox.jsonl" in caplog.text
    store, storage = prepared_store(tmp_path / "mlflow.db", tmp_path_factory), f"sqlite:///{tmp_path}/studies.db"
    optuna.create_study(study_name="c-sr", storage=storage).set_user_attr(SPEC, {"tracking_uri": store})
    assert run_command(sync.main, ["c", "--output", str(tmp_path)]) == 0

    client = MlflowClient(store)
    (run,) = client.search_runs([client.get_experiment_by_name(splits.name).experiment_id])
    assert (run.info.run_name, run.info.status, run.data.tags["kind"]) == ("c", "FINISHED", "comparison")
    assert {"best_model": "sr", "models": "sr, pop", "without_result": ""}.items() <= run.data.tags.items()
    assert run.data.metrics["sr_valid_mrr_at_20"] == 0.3
    artifacts = {artifact.path for artifact in client.list_artifacts(run.info.run_id)}
    assert artifacts == {"comparison.json", "comparison.md", "by_length.png"}


def test_an_outbox_that_is_in_use_does_not_end_the_comparison(
    splits: Splits, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "c").mkdir()
    syncing = Outbox(tmp_path / "c" / "outbox.jsonl", {}, receiver="x")
    record(tmp_path, splits, AWAY, {"pop": 0.1, "sr": 0.3})
    syncing.close()
    (message,) = (each.message for each in caplog.records if each.levelno >= logging.WARNING)
    assert "in use by another process" in message
    assert message.endswith(f"its results are in {tmp_path}/c")


def test_a_comparison_does_not_take_the_name_of_a_search(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "summary.json").touch()
    command = ["--study", "c", "--dataset", "synthetic", "--models", "pop,sr", "--output", str(tmp_path)]
    assert run_command(compare.main, command) == 2
    assert "is a search: choose another name for the comparison" in capsys.readouterr().err
