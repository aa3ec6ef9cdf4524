"""Applies outbox updates to MLflow, in the outbox's thread.

MLflow is imported inside functions of this package alone: it takes seconds.
"""

from __future__ import annotations

import errno
import logging
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from experiments.tracking.mlflow_client import connect
from experiments.tracking.moved import Place, correct_locations
from experiments.tracking.registry import Registration, register
from experiments.tracking.root_cause import root_cause
from experiments.tracking.update import OPEN, Update
from experiments.tuning.worker.addresses import sqlite_file

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Metric, Run

logger = logging.getLogger(__name__)

STUDY_RUN = "study"
STUDY_TAG = "narm.study"  # these two tags find a run again, so that no run is created twice
RUN_TAG = "narm.run"
NAME_TAG = "mlflow.runName"  # in an update: what a new run is called, where that is not its name within the study

EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}  # else the UI may take it for one of prompts


class MlflowWriter:
    """Brings the runs of one study in MLflow up to date.

    Sending the same updates again changes nothing: runs are found by their tags before any is created, and
    MLflow stores a metric with the same time and step once. When a call to create a run times out and a slow server
    creates it later, an empty run is left beside its replacement; it is deleted at the next connection or at the end
    of the study.

    Args:
        tracking_uri: absolute address of a server or database.
        header: header of the outbox: `study` (its identity), `name`, `experiment`, `artifact_dir`.
        place: where the study is, for its files.
        artifact_attempts: attempts after which an artifact that cannot be kept is given up.
        stopping: when set, `send` raises instead of beginning another call.
        connect: makes a client of the store.
    Attributes:
        run_ids: MLflow's ids, by the run's name within the study.
        n_given_up: artifacts and updates that MLflow would not take.
    """

    metrics_a_call = 800  # MLflow takes 1000 metrics, parameters and tags at once

    def __init__(
        self,
        tracking_uri: str,
        header: Mapping[str, str],
        place: Place,
        *,
        artifact_attempts: int = 3,
        stopping: threading.Event | None = None,
        connect: Callable[[str], MlflowClient] = connect,
    ) -> None:
        self._open_client = connect
        self._stopping = stopping or threading.Event()
        self._has_failed = False
        self._uri = tracking_uri
        self._header = header
        self._place = place
        self._artifact_attempts = artifact_attempts
        self.n_given_up = 0
        self._client: MlflowClient | None = None
        self._experiment_id = ""
        self._failed_attempts: Counter[str] = Counter()
        self.run_ids: dict[str, str] = {}

    def send(self, updates: Sequence[Update]) -> None:
        """Apply updates in order.

        Raises:
            Exception: the server did not answer, or not well; send the same updates again later.
        """
        try:
            client = self._client or self._connect()
            for run, of_run in _by_run(updates).items():
                self._send_run(client, run, of_run)
            for update in updates:  # last, as a model names the runs that it comes from
                if update.registration:
                    self._register(client, self.run_ids[update.run], Registration(**update.registration))
            if self._has_failed and any(map(_ends_study, updates)):
                self.tidy()
        except Exception:
            self._client = None  # what arrived is unknown: look up the runs before creating any
            self._has_failed = True
            raise

    def tidy(self) -> None:
        """Delete runs that a slow server created after the call for them had timed out.

        Raises:
            Exception: the server did not answer, or not well.
        """
        self._connect()

    def _connect(self) -> MlflowClient:
        client = self._open_client(self._uri)
        database = sqlite_file(self._uri)
        if database is not None and database.parent == self._place.folder.parent:
            correct_locations(database)
        self._experiment_id = self._find_experiment(client)
        self.run_ids = {}
        for run in sorted(self._find_runs(client), key=_content, reverse=True):
            name = run.data.tags[RUN_TAG]
            if self.run_ids.setdefault(name, run.info.run_id) != run.info.run_id and _is_active(run):
                self._unless_refused(client.delete_run, run.info.run_id)
        self._client = client
        return client

    def _find_experiment(self, client: MlflowClient) -> str:
        name = self._header["experiment"]
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            # A server decides where it keeps artifacts; a database cannot.
            served = self._uri.startswith("http")
            location = None if served else self._place.now(self._header["artifact_dir"]).as_uri()
            return client.create_experiment(name, artifact_location=location, tags=EXPERIMENT_TAGS)
        if experiment.lifecycle_stage == "deleted":
            client.restore_experiment(experiment.experiment_id)
        return str(experiment.experiment_id)

    def _find_runs(self, client: MlflowClient) -> Iterator[Run]:
        from mlflow.entities import ViewType

        token: str | None = ""
        while token is not None:
            page = client.search_runs(
                [self._experiment_id],
                filter_string=f"tags.`{STUDY_TAG}` = '{self._header['study']}'",
                run_view_type=ViewType.ALL,  # a run that somebody deleted must not come back as a new one
                page_token=token or None,
            )
            yield from page
            token = page.token or None

    def _send_run(self, client: MlflowClient, run: str, updates: Sequence[Update]) -> None:
        known = run in self.run_ids
        called = next((update.tags[NAME_TAG] for update in updates if NAME_TAG in update.tags), None)
        run_id = self._run_id(client, run, start=updates[0].time, called=called)
        self._log(client, run_id, updates, known=known)
        if datasets := [update.dataset for update in updates if update.dataset]:
            self._unless_refused(client.log_inputs, run_id, [_dataset_input(**datasets[-1])])
        for update in updates:
            self._log_artifacts(client, run_id, update)
        status = [update for update in updates if update.status]
        if status:
            self._set_status(client, run_id, status[-1], known=known)

    def _run_id(self, client: MlflowClient, run: str, *, start: int, called: str | None = None) -> str:
        """The id of a run, which is created if need be."""
        if run not in self.run_ids:
            tags = {STUDY_TAG: self._header["study"], RUN_TAG: run}
            if run != STUDY_RUN:
                tags["mlflow.parentRunId"] = self._run_id(client, STUDY_RUN, start=start)
            self._check_not_stopping()
            usual = self._header["name"] if run == STUDY_RUN else f"trial {run}" if run.isdigit() else run
            created = client.create_run(self._experiment_id, start_time=start, tags=tags, run_name=called or usual)
            self.run_ids[run] = created.info.run_id
        return self.run_ids[run]

    def _log(self, client: MlflowClient, run_id: str, updates: Sequence[Update], *, known: bool) -> None:
        """Log metrics, parameters and tags, all in one call unless they are very many."""
        from mlflow.entities import Param, RunTag

        metrics = chain.from_iterable(map(_metrics, updates))
        params = {name: value for update in updates for name, value in update.params.items()}
        tags = {name: value for update in updates for name, value in update.tags.items() if name != NAME_TAG}
        for name, linked in [link for update in updates for link in update.links.items()]:
            tags[name] = self.run_ids.get(linked, "")  # what it points to came first
        if params and known:
            # MLflow refuses another value for a parameter that is there.
            for name in client.get_run(run_id).data.params:
                params.pop(name, None)
        entities = [Param(*param) for param in params.items()], [RunTag(*tag) for tag in tags.items()]
        while (batch := list(islice(metrics, self.metrics_a_call))) or any(entities):
            self._unless_refused(client.log_batch, run_id, batch, *entities)
            entities = [], []

    def _log_artifacts(self, client: MlflowClient, run_id: str, update: Update) -> None:
        for name, text in update.texts.items():
            self._attempt(f"the artifact {name}", client.log_text, run_id, text, name)
        for name, path in update.files.items():
            self._attempt(f"the artifact {name}", _log_file, client, run_id, self._place.now(path), name)

    def _register(self, client: MlflowClient, run_id: str, registration: Registration) -> None:
        """Register a model, whose tags name its study and the run of its trial."""
        links = {STUDY_TAG: self._header["study"], "trial_run_id": self.run_ids.get(registration.trial, "")}
        checkpoint = str(self._place.now(registration.checkpoint))
        linked = replace(registration, checkpoint=checkpoint, tags={**registration.tags, **links})
        self._attempt(f"the model {registration.name}", register, client, run_id, linked)

    def _attempt(self, what: str, log: Callable[..., None], *arguments: Any) -> None:
        """Log an artifact, in a few attempts: a store that cannot keep it must not delay the metrics."""
        self._check_not_stopping()
        try:
            log(*arguments)
        except Exception as error:
            self._failed_attempts[what] += 1
            if self._failed_attempts[what] < self._artifact_attempts:
                raise
            self.n_given_up += 1
            logger.warning("MLflow does not keep %s: %s", what, root_cause(error))

    def _set_status(self, client: MlflowClient, run_id: str, update: Update, *, known: bool) -> None:
        if update.status not in OPEN:
            self._unless_refused(client.set_terminated, run_id, update.status, update.time)
        elif known or update.status != "RUNNING":  # a new run is RUNNING anyway
            self._unless_refused(client.update_run, run_id, update.status)

    def _check_not_stopping(self) -> None:
        if self._stopping.is_set():
            raise InterruptedError("the search has ended")

    def _unless_refused(self, call: Callable[..., object], run_id: str, *arguments: Any) -> None:
        """Call, and drop an update that MLflow refuses for good (say, because somebody deleted its run)."""
        from mlflow.exceptions import MlflowException

        self._check_not_stopping()
        try:
            call(run_id, *arguments)
        except MlflowException as error:
            if error.error_code not in ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"):
                raise
            self.n_given_up += 1
            logger.warning("MLflow refuses an update of run %s: %s", run_id, root_cause(error))


def _by_run(updates: Sequence[Update]) -> dict[str, list[Update]]:
    grouped: dict[str, list[Update]] = {}
    for update in updates:
        grouped.setdefault(update.run, []).append(update)
    return grouped


def _ends_study(update: Update) -> bool:
    return update.run == STUDY_RUN and update.status is not None and update.status not in OPEN


def _is_active(run: Run) -> bool:
    return bool(run.info.lifecycle_stage == "active")


def _content(run: Run) -> tuple[bool, int]:
    """Sort key by which the run with the updates comes after an empty one of the same name."""
    return _is_active(run), len(run.data.metrics) + len(run.data.params) + len(run.data.tags)


def _metrics(update: Update) -> list[Metric]:
    from mlflow.entities import Metric

    return [Metric(name, value, update.time, update.step) for name, value in update.metrics.items()]


def _dataset_input(*, context: str, **fields: str) -> DatasetInput:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    return DatasetInput(Dataset(**fields), [InputTag("mlflow.data.context", context)])


def _log_file(client: MlflowClient, run_id: str, path: Path, name: str) -> None:
    """Log a file as the artifact `name`; MLflow itself keeps a file's own name."""
    if not path.exists():  # else the link below would be named
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    target = PurePosixPath(name)
    folder = None if target.parent == PurePosixPath() else str(target.parent)
    with tempfile.TemporaryDirectory() as temporary:
        link = Path(temporary) / target.name
        link.symlink_to(path)
        client.log_artifact(run_id, str(link), folder)
