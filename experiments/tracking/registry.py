"""Registers the model that a study recommends in MLflow: one model a dataset, one version a checkpoint."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.tracking.mlflow_client import connect
from experiments.tracking.moved import correct_locations
from experiments.tracking.package import CHECKPOINT_ARTIFACT, package
from experiments.tracking.root_cause import root_cause
from experiments.tuning.study.setting_rules import CHAMPION
from experiments.tuning.study.summary import TRAINED_ON, Finals, RefitModel, Summary
from experiments.tuning.worker.addresses import mask_credentials, sqlite_file
from narm.errors import InputError
from narm.metrics import key_of
from narm.text.names import plain_part

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHALLENGER = "challenger"

_CHECKPOINT = "checkpoint_sha256"  # these are tags of a version
_OBJECTIVE, _VALIDATION, _FINGERPRINT = "objective", "validation", "fingerprint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A model to register.

    Attributes:
        name: name of the registered model.
        checkpoint: absolute path of the model's checkpoint.
        description: description of the version, for a person.
        tags: tags of the version.
        alias: alias of the version; None: `champion`, unless the present champion is better.
    """

    name: str
    checkpoint: str
    description: str
    tags: Mapping[str, str]
    alias: str | None = None

    @property
    def trial(self) -> str:
        """Number of the trial whose configuration it has."""
        return self.tags["trial"]


def registered_name(dataset: str) -> str:
    """Name of the registered model of a dataset."""
    return f"narm-{plain_part(dataset)}"


def registration_of(summary: Summary, checkpoint: Path, *, alias: str | None = None) -> Registration:
    """How to register what a study says to ship.

    Args:
        summary: summary of a study that has a winner.
        checkpoint: checkpoint of the recommended trial.
        alias: as in `Registration`.
    """
    value = _validation(summary)
    return Registration(
        name=registered_name(summary.dataset.name),
        checkpoint=str(checkpoint.resolve()),
        description=_description(summary, value),
        tags={
            "study": summary.study,
            "trial": str(summary.recommended),
            "git_commit": summary.git_commit or "",
            _OBJECTIVE: summary.objective,
            _VALIDATION: repr(value),
            _FINGERPRINT: summary.dataset.fingerprint,
            **_test_tags(summary.finals),
        },
        alias=alias,
    )


def _validation(summary: Summary) -> float:
    """The objective of what is to be shipped: a bag's own, or the mean over seeds if it was a finalist."""
    key = key_of(summary.objective)
    if summary.finals is not None:
        return summary.finals.shipped_valid[key]
    return summary.best.valid[key] if summary.best is not None else float("nan")


def _description(summary: Summary, value: float) -> str:
    """The model's study and trial, and its results."""
    finals = summary.finals
    default = summary.default if finals is None else finals.default
    is_default = default is not None and default.number == summary.recommended
    name = f"trial {summary.recommended}{', the default configuration' if is_default else ''}"
    bag = None if finals is None else finals.bag
    made = "" if bag is None else f", {len(bag.seeds)} runs as one"
    result = f"Study {summary.study}, {name}{made}: validation {summary.objective} {value:.4f}"
    if finals is None:
        return f"{result}; not tested"
    key = key_of(summary.objective)
    tested = f"{result}, test {finals.shipped.test[key] if bag is None else f'{bag.test[key]:.4f}'}"
    return tested if finals.refit is None else f"{tested}; {_refit(finals.refit, key)}"


def _refit(refit: RefitModel, key: str) -> str:
    """What became of the model after these figures."""
    look = f", test {refit.model.test[key]:.4f} since, a single look" if key in refit.model.test else ""
    return f"then trained again on {TRAINED_ON[refit.on]}{look}"


def _test_tags(finals: Finals | None) -> dict[str, str]:
    """What ships on test, `test_mrr_at_10`, of how many runs it is, and what else it has learned from since.

    None where nothing was tested.
    """
    if finals is None:
        return {}
    runs = "1" if finals.bag is None else str(len(finals.bag.seeds))
    refit = "none" if finals.refit is None else finals.refit.on
    return {"runs": runs, "refit": refit, **{f"test_{key}": repr(value) for key, value in finals.shipped_test.items()}}


def fetch_champion(uri: str, dataset: str, folder: Path, *, output: Path) -> Path:
    """Download the checkpoint of a dataset's champion.

    Args:
        uri: absolute address of MLflow.
        dataset: name of the data.
        folder: where to put it.
        output: folder of all studies, which may have moved together with MLflow's database.
    Raises:
        InputError: there is no champion, it was not registered by this project, or the server did not answer.
    """
    address, name = mask_credentials(uri), registered_name(dataset)
    database = sqlite_file(uri)
    if database is not None and not database.exists():  # MLflow would make one
        raise InputError(f"against: MLflow at {address} is not there, so that it has no {name}@{CHAMPION}")
    try:
        client = connect(uri)
        if database is not None and database.parent == output.resolve():
            correct_locations(database)
        from mlflow.artifacts import download_artifacts

        version = client.get_model_version_by_alias(name, CHAMPION)
        source = f"{version.source}/{CHECKPOINT_ARTIFACT}"
        return Path(download_artifacts(artifact_uri=source, dst_path=str(folder), tracking_uri=uri))
    except Exception as error:  # whatever the client raises
        raise InputError(
            f"against: MLflow at {address} has no checkpoint of {name}@{CHAMPION} to give: {root_cause(error)}; "
            "name a file instead"
        ) from None


def register(client: MlflowClient, run_id: str, registration: Registration) -> None:
    """Register a model, once: of a checkpoint that has a version already, only the alias may move.

    Args:
        client: client of the server.
        run_id: id of the study's run, which keeps the files.
        registration: what to register.
    Raises:
        Exception: the checkpoint cannot be read, or the server did not answer, or not well.
    """
    name, checkpoint = registration.name, Path(registration.checkpoint)
    with checkpoint.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    _create_model(client, name)
    registered = _find_version(client, name, run_id, digest)
    if registered is None:
        folder = f"models/{digest[:12]}"  # one each: the winner of a study that goes on may be another
        with tempfile.TemporaryDirectory(prefix="narm-") as temporary:
            package(checkpoint, Path(temporary) / "model")
            client.log_artifacts(run_id, f"{temporary}/model", folder)
        registered = client.create_model_version(
            name,
            source=f"{client.get_run(run_id).info.artifact_uri}/{folder}",
            run_id=run_id,
            tags={**registration.tags, _CHECKPOINT: digest},
            description=registration.description,
        )
    alias = registration.alias or _alias(client, registration)
    client.set_registered_model_alias(name, alias, registered.version)


def _create_model(client: MlflowClient, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name, description="The model to ship: what its studies recommend.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _find_version(client: MlflowClient, name: str, run_id: str, digest: str) -> ModelVersion | None:
    """The version that holds a checkpoint."""
    versions = client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'")
    return next((found for found in versions if found.tags.get(_CHECKPOINT) == digest), None)


def _alias(client: MlflowClient, registration: Registration) -> str:
    """`champion`, unless the present champion had a better value by the same objective on the same data.

    A quick search must not replace the model of a long one, which somebody may be serving.
    """
    champion = client.get_registered_model(registration.name).aliases.get(CHAMPION)
    if champion is None:
        return CHAMPION
    theirs, ours = client.get_model_version(registration.name, champion).tags, registration.tags
    comparable = all(theirs.get(tag) == ours[tag] for tag in (_OBJECTIVE, _FINGERPRINT))
    return CHALLENGER if comparable and float(theirs[_VALIDATION]) > float(ours[_VALIDATION]) else CHAMPION
