"""Opens the study database: a new study, or one to go on with."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.exceptions import DuplicatedStudyError
from optuna.storages import RDBStorage
from optuna.storages._cached_storage import _CachedStorage
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, SQLAlchemyError

from experiments.tuning.study import trial_attributes
from experiments.tuning.study.environment import mask_credentials
from experiments.tuning.study.folder import DATABASE
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.study.stored_spec import Record, check_resumable, stored_spec
from narm.config import did_you_mean
from narm.errors import InputError

# What is below warnings is told by the engine; samplers warn of conditional spaces, which are meant.
optuna.logging.set_verbosity(optuna.logging.ERROR)

_ATTEMPTS = 4  # to open a database that others may be creating
_PAUSE = 0.5  # seconds between them


def database_in(output: Path) -> Path:
    """The database that a folder of studies has of its own."""
    return (output / DATABASE).resolve()


def storage_in(output: Path) -> str:
    """URL of the same."""
    return f"sqlite:///{database_in(output)}"


def create_study(spec: StudySpec, fingerprint: str) -> optuna.Study:
    """A new study, and its folder.

    Raises:
        InputError: it exists already, or cannot be written.
    """
    if spec.folder.exists():
        raise InputError(
            f"study: {spec.folder} exists already: go on with it (--resume {spec.name}), or choose another name"
        )
    try:
        spec.folder.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"output: {spec.output} cannot be written: {error.strerror}") from None
    try:
        study = _create(spec)
    except InputError:
        spec.folder.rmdir()
        raise
    study.set_user_attr(trial_attributes.SPEC, stored_spec(spec, fingerprint))
    return study


def _create(spec: StudySpec) -> optuna.Study:
    directions = [objective.direction for objective in spec.objectives]
    storage = open_storage(spec.storage)
    try:
        return optuna.create_study(study_name=spec.name, storage=storage, directions=directions)
    except DuplicatedStudyError:
        storage.engine.dispose()
        raise InputError(
            f"study: '{spec.name}' exists already in {mask_credentials(spec.storage)}: go on with it "
            f"(--resume {spec.name}), or choose another name"
        ) from None


def resume_study(spec: StudySpec, fingerprint: str) -> optuna.Study:
    """A study that another session began, with the spec that now holds.

    Raises:
        InputError: there is none, or it is not of the same data, objective and fixed options.
    """
    study = load_study(spec.name, spec.storage)
    try:
        check_resumable(read_stored_spec(study), spec, fingerprint)
    except InputError:
        _disconnect(study)
        raise
    study.set_user_attr(trial_attributes.SPEC, stored_spec(spec, fingerprint))
    return study


def load_study(name: str, url: str) -> optuna.Study:
    """A study by its name.

    Raises:
        InputError: there is none; the nearest name is told.
    """
    storage = open_storage(url)
    known = [study.study_name for study in storage.get_all_studies()]
    if name not in known:
        storage.engine.dispose()
        others = did_you_mean(name, known) if known else "; it has no studies"
        raise InputError(f"study: there is no '{name}' in {mask_credentials(url)}{others}")
    return optuna.load_study(study_name=name, storage=storage)


@contextmanager
def closing_study(study: optuna.Study) -> Iterator[optuna.Study]:
    """Give the connections to the database back at the end of the block; the study is of no use afterwards."""
    try:
        yield study
    finally:
        _disconnect(study)


def _disconnect(study: optuna.Study) -> None:
    storage = study._storage
    backend = storage._backend if isinstance(storage, _CachedStorage) else storage  # as Optuna wraps a database
    if isinstance(backend, RDBStorage):
        backend.remove_session()
        backend.engine.dispose()


def read_stored_spec(study: optuna.Study) -> Record:
    """What a study says of itself.

    Raises:
        InputError: it is not one of ours.
    """
    record: Record | None = study.user_attrs.get(trial_attributes.SPEC)
    if record is None:
        raise InputError(f"study: '{study.study_name}' was not made by this program: choose another")
    return record


def open_storage(url: str) -> RDBStorage:
    """Connect to a database of studies.

    Raises:
        InputError: it cannot be opened.
    """
    try:
        storage = _connect(url)
        if storage.engine.dialect.name == "sqlite":
            _write_ahead(storage)
        return storage
    except (SQLAlchemyError, ImportError) as error:
        reason = mask_credentials(str(error).splitlines()[0])
        raise InputError(
            f"storage: {mask_credentials(url)} cannot be opened ({reason}): write sqlite:///FILE or "
            "postgresql://USER@HOST/NAME"
        ) from None


def _connect(url: str) -> RDBStorage:
    """Connect; a new database that another search is just creating is there at the next attempt."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return RDBStorage(url)
        except IntegrityError:
            pass
        except (OperationalError, ProgrammingError) as error:
            if "already exists" not in str(error):
                raise
        time.sleep(_PAUSE)
    return RDBStorage(url)


def _write_ahead(storage: RDBStorage) -> None:
    """Let SQLite write ahead, without waiting for the disk at every epoch.

    A crash of the process, kill -9 included, loses nothing; one of the machine may lose the last seconds.
    """

    @event.listens_for(storage.engine, "connect")
    def configure(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    storage.engine.dispose()  # of the connections that it has opened already
