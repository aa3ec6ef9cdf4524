"""A study on disk, in the database and in its folder, and what can be asked of it after its search."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

import optuna

from experiments.tuning.study.folder import COMPARISON, DATABASE, DEFAULT_OUTPUT, SUMMARY
from experiments.tuning.study.setting_rules import stored_tracking_uri
from experiments.tuning.study.storage import closing_study, database_in, load_study, read_stored_spec, storage_in
from experiments.tuning.study.stored_spec import Record
from experiments.tuning.study.summary import Summary, read_summary
from experiments.tuning.worker.addresses import mask_credentials
from narm.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedStudy:
    """A study, whether or not its search goes on.

    Attributes:
        study: as the database has it.
        record: what is stored of its spec.
        summary: read from its folder.
        folder: where its files are.
        storage: URL of the database.
    """

    study: optuna.Study
    record: Record
    summary: Summary
    folder: Path
    storage: str

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.summary.study

    @property
    def resume_command(self) -> str:
        """The command that continues its search, credentials masked."""
        output = self.folder.parent
        command = ["python", "-m", "experiments.search", "--resume", self.name]
        if output != Path(DEFAULT_OUTPUT):
            command += ["--output", str(output)]
        if self.storage != storage_in(output):
            command += ["--storage", mask_credentials(self.storage)]
        return shlex.join(command)

    @property
    def dashboard_command(self) -> str:
        """The command that opens optuna-dashboard on it, credentials masked."""
        return shlex.join(["optuna-dashboard", mask_credentials(self.storage)])


def open_saved(name: str, *, output: Path, storage: str | None = None) -> SavedStudy:
    """Open a study by its name.

    Args:
        name: the study's, which is also its folder's.
        output: folder of all studies.
        storage: URL of the database; None: SQLite in the output folder.
    Raises:
        InputError: there is no such study, or its folder has no summary.
    """
    if storage is None and not database_in(output).exists():
        raise InputError(f"output: {output} has no {DATABASE}: name the folder of your studies, or their --storage")
    url = storage or storage_in(output)
    study = load_study(name, url)
    return SavedStudy(
        study=study,
        record=read_stored_spec(study),
        summary=read_summary(output / name / SUMMARY),
        folder=output / name,
        storage=url,
    )


def searched_by(name: str, output: Path) -> str:
    """The study behind a name: itself, or that of a comparison's best model."""
    result = output / name / COMPARISON
    if not result.exists():
        return name
    return f"{name}-{json.loads(result.read_text())['rows'][0]['model']}"


def recorded_uri(study: str, output: Path, storage: str | None) -> str:
    """MLflow's address, to which the search sent its results.

    Args:
        study: name of the study.
        output: folder of all studies.
        storage: URL of the study database; None: SQLite in the output folder.
    Raises:
        InputError: it is not known: the database is not there, or the address had a password and was not stored.
    """
    if storage is None and not database_in(output).exists():
        raise InputError(
            f"storage: {database_in(output)} is not there, and it knows the server: give --tracking-uri or --storage"
        )
    with closing_study(load_study(study, storage or storage_in(output))) as found:
        uri: str | None = read_stored_spec(found)["tracking_uri"]
    if uri is None:
        raise InputError("tracking URI: it had a password, and is kept nowhere: give --tracking-uri")
    return stored_tracking_uri(uri, output)
