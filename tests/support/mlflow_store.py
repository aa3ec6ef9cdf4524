"""An MLflow database to start from: MLflow takes seconds to create one, and a copy takes none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from experiments.tracking.mlflow_client import connect


def prepared_store(path: Path, factory: pytest.TempPathFactory) -> str:
    """Put an empty MLflow database at a path.

    Args:
        path: the file to write.
        factory: knows the folder that all workers of this run of pytest share, where the template is kept.
    Returns:
        the tracking URI.
    """
    shutil.copyfile(_template(factory), path)
    return f"sqlite:///{path}"


def _template(factory: pytest.TempPathFactory) -> Path:
    shared = factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else factory.getbasetemp()
    template = shared / "mlflow-template" / "mlflow.db"
    with FileLock(shared / "mlflow-template.lock"):
        if not template.exists():
            connect(f"sqlite:///{template}")
    return template
