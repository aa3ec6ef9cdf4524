"""A database that cannot be written is one line, without Optuna's guess."""

from __future__ import annotations

import sqlite3

import optuna
import pytest
from sqlalchemy.exc import OperationalError

from experiments.tuning.study.database_errors import DATABASE_ERRORS, explain_database_error


def fail(reason: str) -> None:
    """As Optuna does."""
    try:
        try:
            raise sqlite3.OperationalError(reason)
        except sqlite3.OperationalError as error:
            raise OperationalError("INSERT", {}, error) from error
    except OperationalError as error:
        raise optuna.exceptions.StorageInternalError("e.g. exceeding max length.") from error


@pytest.mark.parametrize(
    ("url", "reason", "message"),
    [
        (
            "sqlite:////runs/studies.db",
            "database or disk is full",
            "/runs/studies.db: No space left on device; --resume s goes on once there is room",
        ),
        (
            "sqlite:///studies.db",
            "attempt to write a readonly database",
            "studies.db: attempt to write a readonly database; --resume s goes on once it can be written",
        ),
        (
            "postgresql://me:secret@host/name",
            "server closed the connection unexpectedly\nThis probably means",
            "postgresql://***@host/name: server closed the connection unexpectedly; "
            "--resume s goes on once it can be written",
        ),
    ],
)
def test_the_place_and_the_cause_are_told(url, reason, message):
    with pytest.raises(DATABASE_ERRORS) as error:
        fail(reason)
    assert str(explain_database_error(error.value, url, "s")) == message
