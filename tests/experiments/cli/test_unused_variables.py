"""MLflow's variable is no setting of a search, which says so."""

from __future__ import annotations

import pytest

from experiments.cli.unused_variables import unused_variables


@pytest.mark.parametrize(
    "given", ["http://tracking:5000", "databricks", "./mlruns", "file:./mlruns", "sqlite:///other.db"]
)
def test_another_store_is_a_note(given, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
    (note,) = unused_variables("http://me:secret@ours:5000")
    assert note == (
        "MLflow: recorded in http://***@ours:5000; MLFLOW_TRACKING_URI is set, and not used: "
        "--tracking-uri names another store"
    )


@pytest.mark.parametrize("given", [None, "", "sqlite:///runs/mlflow.db"])
def test_the_same_one_is_none(given, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if given is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
    assert unused_variables(f"sqlite:///{tmp_path / 'runs' / 'mlflow.db'}") == []
