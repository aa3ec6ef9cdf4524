"""Databases that cannot be used are said to be so in one line; reading changes none and makes none."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

import optuna
import pytest
from sqlalchemy.exc import OperationalError

from experiments.tuning.study import database
from experiments.tuning.study.database import DATABASE_ERRORS, explain_database_error, open_storage
from experiments.tuning.study.storage import closing_study
from experiments.tuning.worker.addresses import sqlite_url
from narm.errors import InputError


@pytest.fixture
def studies(tmp_path: Path) -> Path:
    """A database with one study."""
    file = tmp_path / "studies.db"
    with closing_study(optuna.create_study(study_name="s", storage=open_storage(sqlite_url(file)))):
        return file


def change(file: Path, *statements: str) -> None:
    with sqlite3.connect(file) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("use", ["create", "write", "read"])
@pytest.mark.parametrize(
    ("version", "message"),
    [
        (
            "v2.4.0.a",
            r"was made by an older Optuna than this one: copy it, then call `optuna storage upgrade",
        ),
        ("v99.0.0.a", r"was made by a newer Optuna than this one: install that one"),
    ],
)
def test_another_optuna(studies, use, version, message):
    change(studies, f"UPDATE alembic_version SET version_num = '{version}'")
    with pytest.raises(InputError, match=message):
        open_storage(sqlite_url(studies), use)


@pytest.mark.parametrize("use", ["create", "write", "read"])
def test_a_file_that_is_no_database(tmp_path, use):
    file = tmp_path / "studies.db"
    file.write_text("no database, but some text, as long as the header of one, which is a hundred bytes: " + "x" * 100)
    with pytest.raises(InputError, match="file is not a database"):
        open_storage(sqlite_url(file), use)
    assert file.read_text().startswith("no database")


@pytest.mark.parametrize("use", ["create", "write", "read"])
@pytest.mark.parametrize(("table", "whose"), [("experiments", "MLflow's"), ("users", "another program's")])
def test_the_database_of_another_program_is_left_as_it_is(tmp_path, use, table, whose):
    file = tmp_path / "theirs.db"
    change(file, "CREATE TABLE alembic_version (version_num TEXT)", f"CREATE TABLE {table} (a)")
    before = file.read_bytes()
    with pytest.raises(InputError, match=f"is {whose} database: name another for the studies"):
        open_storage(sqlite_url(file), use)
    assert file.read_bytes() == before


@pytest.mark.parametrize("use", ["write", "read"])
def test_what_is_not_there_is_not_made(tmp_path, use):
    with pytest.raises(InputError, match=r"^there is no database .*typo.db"):
        open_storage(sqlite_url(tmp_path / "typo.db"), use)
    assert not list(tmp_path.iterdir())


def test_a_lock_of_another_program_is_waited_for(studies):
    """Five seconds, SQLite's usual patience, are less than a person takes who looks at a table."""
    storage = open_storage(sqlite_url(studies), "write")
    with storage.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 60_000
    storage.engine.dispose()


def test_reading_writes_nothing(studies):
    storage = open_storage(sqlite_url(studies), "read")
    assert [study.study_name for study in storage.get_all_studies()] == ["s"]
    with pytest.raises(optuna.exceptions.StorageInternalError):
        storage.set_study_user_attr(storage.get_study_id_from_name("s"), "a", 1)


def test_an_empty_database_has_no_studies_to_read(tmp_path):
    file = tmp_path / "empty.db"
    file.touch()
    with pytest.raises(InputError, match=r"no such table: version_info.*: it has no studies: name another"):
        open_storage(sqlite_url(file), "read")


def test_a_folder_that_cannot_be_written_is_read_all_the_same(studies, monkeypatch):
    """As on a read-only file system, where SQLite can keep no log beside the database."""
    asked: list[str] = []
    connect = sqlite3.connect
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and access(path, mode))
    monkeypatch.setattr(sqlite3, "connect", lambda name, **options: asked.append(name) or connect(name, **options))
    for left_over in studies.parent.glob("studies.db-*"):
        left_over.unlink()
    assert len(open_storage(sqlite_url(studies), "read").get_all_studies()) == 1
    assert all(uri.endswith("?mode=ro&immutable=1") for uri in asked)


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("attempt to write a readonly database", "it is read-only: copy its folder"),
        ("database is locked", "another program is writing it"),
        ("FATAL: permission denied for schema public", "its owner has to grant"),
        ("FATAL: no password supplied", "PGPASSWORD"),
        ('FATAL: database "x" does not exist', "write sqlite:///FILE or postgresql://"),
    ],
)
def test_what_to_do_depends_on_the_reason(tmp_path, monkeypatch, reason, hint):
    def refuse(*_: object, **__: object) -> None:
        raise OperationalError("", None, Exception(reason))

    monkeypatch.setattr(database, "RDBStorage", refuse)
    with pytest.raises(InputError, match=hint) as error:
        open_storage(sqlite_url(tmp_path / "studies.db"))
    assert reason in str(error.value)


@pytest.mark.parametrize("name", ["per%20cent", "que?ry", "ha#sh", "new\nline", "sp ace", "q?mode=ro&x=1", "a@b:c"])
def test_a_database_is_made_and_read_in_any_folder(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    url = sqlite_url(folder / "studies.db")
    optuna.create_study(study_name="s", storage=open_storage(url))
    assert (folder / "studies.db").stat().st_size
    assert len(open_storage(url, "read").get_all_studies()) == 1


def test_a_driver_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with pytest.raises(InputError, match=r"for PostgreSQL, pip install 'narm-search\[postgresql\]'"):
        open_storage("postgresql+psycopg2://host/name")


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
