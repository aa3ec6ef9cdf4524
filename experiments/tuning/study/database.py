"""Connects to a database of studies; whatever is wrong with it is one line that says what and where."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import sqlalchemy
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, SQLAlchemyError

from experiments.tuning.worker.addresses import mask_credentials, sqlite_file
from narm.errors import InputError

Use = Literal["create", "write", "read"]
"""Whether a database that is not there is made, and whether anything is written to it."""

_ATTEMPTS = 4  # to open a database that others may be creating
_PAUSE = 0.5  # seconds between them
_PATIENCE = 60.0  # seconds in which another program, such as a browser of databases, lets go of its lock

DATABASE_ERRORS = (StorageInternalError, SQLAlchemyError)
"""What writing to a database that was open raises."""

_FULL = "database or disk is full"  # SQLite's words
_HINTS = {
    _FULL: "make room",
    "readonly database": "it is read-only: copy its folder to where you may write, or change its owner or mode",
    "is locked": "another program is writing it: end that one, or wait",
    "not a database": "the file is none: name another",
    "malformed": "the file is damaged: restore a copy of it",
    "no such table": "it has no studies: name another",
    "permission denied": "its owner has to grant you its schema",
    "password": "give the password in ~/.pgpass or PGPASSWORD",
}
"""What to do, by words of the reason."""
_DRIVER_HINT = "for PostgreSQL, pip install 'narm-search[postgresql]'"
_USUAL_HINT = "write sqlite:///FILE or postgresql://USER@HOST/NAME"


def open_storage(url: str, use: Use = "create") -> RDBStorage:
    """Connect to a database of studies.

    Args:
        url: its address.
        use: what for.
    Raises:
        InputError: it cannot be opened, is not there, or is another program's or another Optuna's.
    """
    file = sqlite_file(url)
    if file is not None and use != "create" and not file.exists():
        raise InputError(
            f"there is no database {file}: name the folder of your studies with --output, or their --storage"
        )
    with one_line_errors(url):
        _refuse_other_programs(url, file)
        if use == "read" and file is not None:
            return RDBStorage(url, engine_kwargs={"creator": lambda: _reader(file)}, skip_table_creation=True)
        storage = _connect(url)
        if storage.engine.dialect.name == "sqlite":
            _write_ahead(storage)
        return storage


@contextmanager
def one_line_errors(url: str) -> Iterator[None]:
    """Raise as InputError what goes wrong with a database.

    Args:
        url: its address, of which no password is shown.
    """
    where = f"storage: {mask_credentials(url)}"
    try:
        yield
    except InputError:
        raise
    except (SQLAlchemyError, StorageInternalError, sqlite3.Error, ImportError, ValueError) as error:
        cause = _cause(error)
        usual = _DRIVER_HINT if isinstance(error, ImportError) else _USUAL_HINT
        hint = next((hint for words, hint in _HINTS.items() if words in str(cause)), usual)
        raise InputError(f"{where} cannot be opened ({_first_line(cause)}): {hint}") from None
    except RuntimeError as error:  # Optuna's, of the version of the tables
        if "table schema" not in str(error):
            raise
        older = "optuna storage upgrade" in str(error)
        remedy = f"optuna storage upgrade --storage {mask_credentials(url)}"
        raise InputError(
            f"{where} was made by {'an older' if older else 'a newer'} Optuna than this one: "
            + (f"copy it, then call `{remedy}`" if older else "install that one, or name another database")
        ) from None


def explain_database_error(error: BaseException, url: str, study: str) -> InputError:
    """Say which database cannot be used any more, why, and how the search goes on.

    Args:
        error: one of `DATABASE_ERRORS`.
        url: address of the database.
        study: the study that was being written.
    """
    reason, where = _first_line(_cause(error)), sqlite_file(url) or mask_credentials(url)
    is_full = _FULL in reason
    return InputError(
        f"{where}: {os.strerror(errno.ENOSPC) if is_full else reason}; "
        f"--resume {study} goes on once {'there is room' if is_full else 'it can be written'}"
    )


def _cause(error: BaseException) -> BaseException:
    """What the driver raised; Optuna's own words only guess at it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _first_line(error: BaseException) -> str:
    return mask_credentials((str(error).splitlines() or [type(error).__name__])[0])


def _refuse_other_programs(url: str, file: Path | None) -> None:
    """Optuna would put its tables beside those of a program that keeps its version in a table of the same name."""
    if file is not None and not file.exists():
        return
    engine = sqlalchemy.create_engine(url) if file is None else _reading_engine(file)
    try:
        tables = set(sqlalchemy.inspect(engine).get_table_names())
    finally:
        engine.dispose()
    if "alembic_version" in tables and "studies" not in tables:
        whose = "MLflow's" if "experiments" in tables else "another program's"
        raise InputError(f"storage: {mask_credentials(url)} is {whose} database: name another for the studies")


def _reading_engine(file: Path) -> sqlalchemy.Engine:
    return sqlalchemy.create_engine("sqlite://", creator=lambda: _reader(file), poolclass=sqlalchemy.NullPool)


def _reader(file: Path) -> sqlite3.Connection:
    """A connection that cannot write; in a folder where SQLite cannot put its own files either, it needs none."""
    log = file.with_name(f"{file.name}-wal")
    frozen = not os.access(file.parent, os.W_OK) and not log.exists()
    options = "mode=ro&immutable=1" if frozen else "mode=ro"
    return sqlite3.connect(f"file:{quote(str(file))}?{options}", uri=True, check_same_thread=False, timeout=30)


def _connect(url: str) -> RDBStorage:
    """Connect; a new database that another search is just creating is there at the next attempt."""
    settings = {"connect_args": {"timeout": _PATIENCE}} if sqlite_file(url) is not None else None
    for _ in range(_ATTEMPTS - 1):
        try:
            return RDBStorage(url, engine_kwargs=settings)
        except IntegrityError:
            pass
        except (OperationalError, ProgrammingError) as error:
            if "already exists" not in str(error):
                raise
        time.sleep(_PAUSE)
    return RDBStorage(url, engine_kwargs=settings)


def _write_ahead(storage: RDBStorage) -> None:
    """Let SQLite write ahead, without waiting for the disk at every epoch.

    A crash of the process, kill -9 included, loses nothing; one of the machine may lose the last seconds.
    """

    @event.listens_for(storage.engine, "connect")
    def configure(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    storage.engine.dispose()  # of the connections that it has opened already
    storage.engine.connect().close()  # what may not be written is refused here
