"""A database is created whole, and has the models too."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow import MlflowClient

from experiments.tracking.mlflow_client import connect
from experiments.tuning.worker.addresses import sqlite_url

pytestmark = pytest.mark.slow


def test_a_database_is_there_with_all_its_tables_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "runs" / "mlflow.db"
    uri = f"sqlite:///{path}"

    def killed(*arguments: object, **options: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "search_experiments", killed)
        with pytest.raises(SystemExit):
            connect(uri)
    assert not path.exists()
    assert connect(uri).search_experiments()[0].name == "Default"
    assert [file.name for file in path.parent.iterdir()] == ["mlflow.db"]


def test_a_registry_that_the_environment_names_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "http://127.0.0.1:9")
    assert connect(f"sqlite:///{tmp_path / 'mlflow.db'}").search_registered_models() == []


def test_a_database_is_made_in_a_folder_of_any_name_and_nowhere_else(tmp_path: Path) -> None:
    path = tmp_path / "50 % of it#1?" / "mlflow.db"
    client = connect(sqlite_url(path))
    run = client.create_run(client.create_experiment("e", artifact_location=(path.parent / "artifacts").as_uri()))
    client.log_text(run.info.run_id, "text", "file.txt")
    assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["file.txt"]
    assert sorted(file.name for file in path.parent.iterdir()) == ["artifacts", "mlflow.db"]
    assert [folder.name for folder in tmp_path.iterdir()] == [path.parent.name]
