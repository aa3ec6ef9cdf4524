"""The study database: opens a study, new or to go on with, and writes its trials.

The one module that uses private attributes of Optuna, since a trial that waits, runs again or is added while it runs
has no public way: `Study.add_trial` returns no handle to go on with, and `Trial` sets no state but a final one.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.exceptions import DuplicatedStudyError
from optuna.storages import RDBStorage
from optuna.storages._cached_storage import _CachedStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, SQLAlchemyError

from experiments.tuning.study import trial_attributes
from experiments.tuning.study.folder import DATABASE
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.study.stored_spec import Record, check_resumable, stored_spec
from experiments.tuning.worker.addresses import mask_credentials
from narm.errors import InputError
from narm.text.suggestion import did_you_mean

# What is below warnings is reported by the engine; samplers warn of conditional spaces, which are meant.
optuna.logging.set_verbosity(optuna.logging.ERROR)

_ATTEMPTS = 4  # to open a database that others may be creating
_PAUSE = 0.5  # seconds between them


def database_in(output: Path) -> Path:
    """The database that a folder of studies has of its own."""
    return (output / DATABASE).resolve()


def storage_in(output: Path) -> str:
    """URL of the database that a folder of studies has of its own."""
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
        InputError: no such study; the message suggests the closest name.
    """
    storage = open_storage(url)
    known = [study.study_name for study in storage.get_all_studies()]
    if name not in known:
        storage.engine.dispose()
        others = did_you_mean(name, known) if known else "; it has no studies"
        raise InputError(f"study: there is no '{name}' in {mask_credentials(url)}{others}")
    return optuna.load_study(study_name=name, storage=storage)


class StoredTrial:
    """A trial that has not reached a final state, as the engine goes on with it.

    Args:
        study: the study.
        trial: the trial as the study has it.
    """

    def __init__(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self._study = study
        self._id = trial._trial_id
        self._handle = optuna.Trial(study, self._id)

    @property
    def number(self) -> int:
        """Number of the trial in its study."""
        return self._handle.number

    @property
    def attributes(self) -> dict[str, Any]:
        """User attributes."""
        return self._handle.user_attrs

    def set_attribute(self, name: str, value: Any) -> None:
        """Write a user attribute."""
        self._handle.set_user_attr(name, value)

    def set_value(self, epoch: int, value: float) -> None:
        """Write the value after an epoch; a second one for the same epoch replaces the first."""
        self._handle.storage.set_trial_intermediate_value(self._id, epoch, value)  # Trial.report keeps the first

    def set_state(self, state: Literal[TrialState.RUNNING, TrialState.WAITING]) -> None:
        """Let it run, or wait for its next job."""
        self._handle.storage.set_trial_state_values(self._id, state)

    def tell(self, state: TrialState, values: Sequence[float] | None) -> FrozenTrial:
        """Write its final state; the trial as the study has it now."""
        return self._study.tell(self._handle, values, state)

    def read(self) -> FrozenTrial:
        """The trial as the study has it."""
        return self._study._storage.get_trial(self._id)


def add_trial(study: optuna.Study, template: FrozenTrial) -> StoredTrial:
    """Add a trial, whole or not at all: a crash must not leave one with half of its parameters."""
    trial_id = study._storage.create_new_trial(study._study_id, template)
    return StoredTrial(study, study._storage.get_trial(trial_id))


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
    """The spec that a study was stored with.

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
