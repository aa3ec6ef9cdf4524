"""Connects to an MLflow store, whose database is created where there is none."""

from __future__ import annotations

import logging
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.tuning.worker.addresses import sqlite_file, sqlite_url

if TYPE_CHECKING:
    from mlflow import MlflowClient


def connect(uri: str) -> MlflowClient:
    """Connect to a store.

    MLflow takes seconds to import; that happens here, in the thread of the outbox.

    Args:
        uri: absolute address of a server or database.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "CRITICAL")  # what goes wrong is reported here, in one line
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")  # the outbox tries again by itself
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from mlflow import MlflowClient

    database = sqlite_file(uri)
    if database is not None and not database.exists():
        _create_database(database)
    given = _as_given(uri)
    # A model is kept beside its run, whatever MLFLOW_REGISTRY_URI says.
    return MlflowClient(tracking_uri=given, registry_uri=given)


def _as_given(uri: str) -> str:
    """The URI with the driver named: of `sqlite:///50 %25/x.db` MLflow would make a folder that is called `50 %25`."""
    return uri.replace("sqlite:///", "sqlite+pysqlite:///", 1)


def _create_database(path: Path) -> None:
    """Let MLflow make its tables in a file that is moved into place when they are complete.

    MLflow makes them in dozens of steps over seconds; it can neither use nor mend what a kill -9 leaves half made.
    """
    from mlflow import MlflowClient

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        draft = Path(folder) / path.name
        MlflowClient(tracking_uri=_as_given(sqlite_url(draft))).search_experiments(max_results=1)
        with suppress(FileExistsError):  # another search was quicker
            path.hardlink_to(draft)
