"""The study database: opens a study, new or to go on with, and writes its trials.

The one module that uses private attributes of Optuna, since a trial that waits, runs again or is added while it runs
has no public way: `Study.add_trial` returns no handle to go on with, and `Trial` sets no state but a final one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.exceptions import DuplicatedStudyError
from optuna.storages import RDBStorage
from optuna.storages._cached_storage import _CachedStorage
from optuna.trial import FrozenTrial, TrialState

from experiments.tuning.study import trial_attributes
from experiments.tuning.study.database import Use, one_line_errors, open_storage
from experiments.tuning.study.folder import DATABASE
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.study.stored_spec import Record, check_resumable, stored_spec
from experiments.tuning.worker.addresses import mask_credentials, sqlite_file, sqlite_url
from narm.errors import InputError
from narm.text.suggestion import did_you_mean

# What is below warnings is reported by the engine; samplers warn of conditional spaces, which are meant.
optuna.logging.set_verbosity(optuna.logging.ERROR)


def database_in(output: Path) -> Path:
    """The database that a folder of studies has of its own."""
    return (output / DATABASE).resolve()


def storage_in(output: Path) -> str:
    """URL of the database that a folder of studies has of its own."""
    return sqlite_url(database_in(output))


def create_study(spec: StudySpec, fingerprint: str) -> optuna.Study:
    """A new study, and its folder.

    Raises:
        InputError: it exists already, or cannot be written.
    """
    try:
        spec.folder.mkdir(parents=True)
    except FileExistsError:
        raise InputError(
            f"study: {spec.folder} exists already: go on with it (--resume {spec.name}), or choose another name"
        ) from None
    except OSError as error:
        raise InputError(f"output: {spec.output} cannot be written: {error.strerror}") from None
    try:
        study = _create(spec)
    except InputError:
        spec.folder.rmdir()
        raise
    store_spec(study, spec, fingerprint)
    return study


def _create(spec: StudySpec) -> optuna.Study:
    directions = [objective.direction for objective in spec.objectives]
    storage = open_storage(spec.storage)
    try:
        with one_line_errors(spec.storage):
            return optuna.create_study(study_name=spec.name, storage=storage, directions=directions)
    except DuplicatedStudyError:
        storage.engine.dispose()
        raise InputError(
            f"study: '{spec.name}' exists already in {mask_credentials(spec.storage)}: go on with it "
            f"(--resume {spec.name}), or choose another name"
        ) from None


def resume_study(spec: StudySpec, fingerprint: str) -> optuna.Study:
    """A study that another session began, and may be going on with: nothing is written to it, see `store_spec`.

    Raises:
        InputError: there is none, or it is not of the same data, objective and fixed options.
    """
    study = load_study(spec.name, spec.storage, "write")
    try:
        check_resumable(read_stored_spec(study), spec, fingerprint)
    except InputError:
        _disconnect(study)
        raise
    return study


def store_spec(study: optuna.Study, spec: StudySpec, fingerprint: str) -> None:
    """Write the spec that holds from now on."""
    study.set_user_attr(trial_attributes.SPEC, stored_spec(spec, fingerprint))


def load_study(name: str, url: str, use: Use = "read") -> optuna.Study:
    """A study by its name.

    Args:
        name: the study's.
        url: address of the database.
        use: whether it is only read.
    Raises:
        InputError: no such database or study; the message suggests the closest name.
    """
    storage = open_storage(url, use)
    with one_line_errors(url):
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

    def set_constraints(self, values: Mapping[str, float]) -> None:
        """Write the values of constraints, above 0 where one is broken; Optuna keeps the first of each."""
        known = self._handle.constraints
        for name, value in values.items():
            if name not in known:
                self._handle.set_constraint(name, value)

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


def keep_database(study: optuna.Study) -> Path | None:
    """Write the database of an open study again if somebody has removed its file, which SQLite does not notice.

    Returns:
        the file, if it had to be written.
    """
    backend = _backend(study)
    file = None if backend is None else sqlite_file(backend.url)
    if backend is None or file is None or file.exists():
        return None
    backend.remove_session()
    with backend.engine.connect() as connection:
        connection.exec_driver_sql("VACUUM INTO ?", (str(file),))
    return file


def _disconnect(study: optuna.Study) -> None:
    backend = _backend(study)
    if backend is not None:
        backend.remove_session()
        backend.engine.dispose()


def _backend(study: optuna.Study) -> RDBStorage | None:
    """The database of a study, which Optuna wraps in a cache; None: it is in memory."""
    storage = study._storage
    backend = storage._backend if isinstance(storage, _CachedStorage) else storage
    return backend if isinstance(backend, RDBStorage) else None


def read_stored_spec(study: optuna.Study) -> Record:
    """The spec that a study was stored with.

    Raises:
        InputError: it is not one of ours.
    """
    record: Record | None = study.user_attrs.get(trial_attributes.SPEC)
    if record is None:
        raise InputError(f"study: '{study.study_name}' was not made by this program: choose another")
    return record
