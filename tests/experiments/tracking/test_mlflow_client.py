"""A database is created whole, and has the models too."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow import MlflowClient

from experiments.tracking.mlflow_client import connect

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
