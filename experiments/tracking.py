"""Leaves every study, trial and metric in MLflow, without ever holding up or ending a search.

One experiment a dataset, one parent run a study, one child run a trial and a training of a finalist. Calls append to
an outbox; its thread brings MLflow up to date whenever the server answers. Only this module and
`experiments.shipping` import MLflow.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shlex
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from experiments.environment import mask_credentials
from experiments.outbox import OPEN, Drainer, Outbox, RunStatus, Update, root_cause
from experiments.shipping.registry import Registration, register
from experiments.summary import TrialState
from narm.errors import InputError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Metric, Run

logger = logging.getLogger(__name__)

RUN_STATUS: dict[TrialState, RunStatus] = {
    "COMPLETE": "FINISHED",
    "PRUNED": "KILLED",
    "FAIL": "FAILED",
    "INTERRUPTED": "KILLED",
}

STUDY_RUN = "study"
STUDY_TAG = "narm.study"  # these two tags find a run again, so that no run is created twice
RUN_TAG = "narm.run"

DESCRIPTION_TAG = "mlflow.note.content"  # what the UI shows as the description, as Markdown
LONGEST_TAG = 8000  # characters that MLflow takes
DIGEST_LENGTH = 12  # enough to tell data apart, and room in the table's column
EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}  # else the UI may take it for one of prompts


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """The data of a study, as MLflow is to list them; the data themselves are not sent.

    Attributes:
        name: as a person knows it.
        fingerprint: SHA-256 of the content.
        source: where they came from.
        counts: sizes by name.
    """

    name: str
    fingerprint: str
    source: str
    counts: Mapping[str, int] = field(default_factory=dict)

    def used_for(self, context: str) -> dict[str, str]:
        """The fields of MLflow's dataset, and what a run used it for."""
        return {
            "name": self.name,
            "digest": self.fingerprint[:DIGEST_LENGTH],
            "source_type": "code",  # of those that MLflow can read, the one that promises no address
            "source": json.dumps({"tags": {"dataset": self.source}}, ensure_ascii=False),
            "profile": json.dumps({**self.counts, "sha256": self.fingerprint}),
            "context": context,
        }


class Tracker:
    """The record of one study in MLflow.

    `start_study` comes first. No method raises because of the tracking server, nor waits for it; `end_study` waits
    a bounded time.

    Args:
        tracking_uri: address of a server, or of a database: `sqlite:///FILE`.
        experiment: name of the MLflow experiment, one a dataset.
        artifact_dir: where artifacts go when there is no server to keep them.
        outbox: file in which updates wait for the server. With an outbox of an earlier session the study goes
            on in the same runs; a server that has none of them is sent everything.
        flush_seconds: how long `end_study` waits at most.
    Raises:
        InputError: the tracking URI is of no kind that MLflow can write to.
    """

    def __init__(
        self,
        tracking_uri: str,
        *,
        experiment: str,
        artifact_dir: Path,
        outbox: Path,
        flush_seconds: float = 20.0,
    ) -> None:
        self._uri = absolute_uri(tracking_uri)
        self._header = {"experiment": experiment, "artifact_dir": str(artifact_dir.resolve())}
        self._path = outbox.resolve()
        self._flush_seconds = flush_seconds

    def start_study(
        self,
        name: str,
        *,
        tags: Mapping[str, str],
        params: Mapping[str, object],
        artifacts: Mapping[str, str],
        description: str = "",
        dataset: Dataset | None = None,
    ) -> None:
        """Open the parent run.

        Args:
            name: of the study, and of the run.
            tags: text by name.
            params: values by name; see `flat_params`. A study that goes on keeps its first ones.
            artifacts: text of each artifact, by file name.
            description: Markdown.
            dataset: the input of the study's run, and of every run below it.
        Raises:
            InputError: another process is writing this study, or the outbox is no such file.
        """
        header = {"study": secrets.token_hex(8), "name": name, **self._header}
        self._outbox = Outbox(self._path, header, receiver=mask_credentials(self._uri))
        stopping = threading.Event()
        self._mirror = Mirror(self._uri, self._outbox.header, stopping=stopping)
        name_of_server = f"MLflow at {mask_credentials(self._uri)}"
        self._drainer = Drainer(self._outbox, self._mirror.send, name=name_of_server, stopping=stopping)
        self._drainer.start()
        standing = self._outbox.standing()
        self._steps = {run: of_run.step for run, of_run in standing.items()}
        self._open = [run for run, of_run in standing.items() if run.isdigit() and of_run.status in OPEN]
        self._dataset = dataset
        self._put(
            STUDY_RUN,
            status="RUNNING",
            tags={**tags, "kind": "study", **_described(description)},
            params=flat_params(params),
            texts=artifacts,
            dataset=self._used_for("train, valid, test"),
        )

    @property
    def open_trials(self) -> list[int]:
        """Numbers of trials whose runs have not ended, those of earlier sessions among them."""
        return [int(run) for run in self._open]

    def start_trial(self, number: int, *, params: Mapping[str, object], tags: Mapping[str, str]) -> None:
        """Open the child run of a trial, or go on in it."""
        run = str(number)
        if run not in self._open:
            self._open.append(run)
        started = run in self._steps
        self._steps.setdefault(run, 0)
        identity = {} if started else {**tags, "kind": "trial", "trial_number": run}
        self._put(
            run,
            status="RUNNING",
            params={} if started else flat_params(params),
            tags={**identity, "state": "RUNNING"},
            dataset={} if started else self._used_for("train, valid"),
        )

    def log_epoch(self, number: int, *, epoch: int, metrics: Mapping[str, float]) -> None:
        """Log one epoch of a trial, once; names as in `recall_at_20`, since MLflow refuses `@`."""
        run = str(number)
        if epoch > self._steps.get(run, 0):
            self._steps[run] = epoch
            self._put(run, step=epoch, metrics=metrics)

    def log_system(self, metrics: Mapping[str, float]) -> None:
        """Log a sample of what the search uses of its machine, in the study's run; from one thread."""
        self._steps[STUDY_RUN] = self._steps.get(STUDY_RUN, 0) + 1
        self._put(
            STUDY_RUN,
            step=self._steps[STUDY_RUN],
            metrics={f"system/{name}": value for name, value in metrics.items()},
        )

    def log_finalist(
        self,
        number: int,
        seed: int,
        *,
        seconds: float,
        epochs: int,
        params: Mapping[str, object],
        tags: Mapping[str, str],
        metrics: Mapping[str, float],
        description: str,
    ) -> None:
        """Log a training of a finalist as a run of its own, once; again only if it was trained for longer.

        Args:
            number: of its trial, whose run it points to.
            seed: of this training.
            seconds: it took, up to now.
            epochs: trained.
            params: the options that the space varies.
            tags: text by name.
            metrics: final figures.
            description: Markdown.
        """
        run = finalist_run(number, seed)
        if epochs > self._steps.get(run, 0):
            self._steps[run] = epochs
            self._begin_finalist(run, number, seed, params=params, tags=tags, seconds=seconds)
            self._end_run(run, "FINISHED", metrics=metrics, step=epochs, description=description, state="COMPLETE")

    def fail_finalist(self, number: int, seed: int, *, reason: str, tags: Mapping[str, str], description: str) -> None:
        """Log that a training of a finalist was given up."""
        run = finalist_run(number, seed)
        self._begin_finalist(run, number, seed, params={}, tags=tags, seconds=0.0)
        self._end_run(run, "FAILED", description=description, state="FAIL", reason=reason)

    def hold_up_trial(self, number: int, *, state: str, reason: str) -> None:
        """Let the run of a trial wait: SCHEDULED, in MLflow's words."""
        self._put(str(number), status="SCHEDULED", tags={"state": state, "reason": reason})

    def interrupt_trial(self, number: int, *, reason: str) -> None:
        """Close the run of a trial for as long as the search rests."""
        self._end_run(str(number), "KILLED", state="INTERRUPTED", reason=reason)

    def end_trial(
        self,
        number: int,
        *,
        state: TrialState,
        reason: str,
        metrics: Mapping[str, float],
        artifacts: Mapping[str, str] | None = None,
        description: str = "",
    ) -> None:
        """Close the run of a trial.

        Args:
            number: of the trial.
            state: Optuna's; a pruned trial's run is KILLED, as MLflow has no other word for it.
            reason: why it ended, for a person.
            metrics: final figures, under other names than the epochs' (`best_mrr_at_10`): MLflow shows the
                last step of a name.
            artifacts: text of each artifact, by file name.
            description: Markdown.
        """
        self._end_run(
            str(number),
            RUN_STATUS[state],
            metrics=metrics,
            texts=artifacts,
            description=description,
            state=state,
            reason=reason,
        )

    def end_study(
        self,
        *,
        status: Literal["FINISHED", "KILLED", "FAILED"],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        artifacts: Mapping[str, str],
        files: Mapping[str, Path],
        registration: Registration | None = None,
        description: str = "",
    ) -> None:
        """Close the parent run, and every trial still open; then wait a bounded time for the server.

        Args:
            status: of the parent run.
            metrics: final figures of the study.
            tags: text by name.
            artifacts: text of each artifact, by file name.
            files: path of each artifact, by file name (`winner/model.pt`).
            registration: of the winner as a model; None: of nothing.
            description: Markdown, in place of that of the start.
        """
        for run in list(self._open):
            self._end_run(run, "KILLED", state="INTERRUPTED", reason="the search ended before the trial did")
        paths = {name: str(path.resolve()) for name, path in files.items()}
        self._put(
            STUDY_RUN,
            status=status,
            metrics=metrics,
            tags={**tags, **_described(description)},
            texts=artifacts,
            files=paths,
            registration=None if registration is None else asdict(registration),
        )
        if not self._drainer.flush(self._flush_seconds):
            logger.warning(
                "not everything has reached MLflow: the rest waits in %s; `python -m experiments.sync` sends it",
                self._path,
            )
        self._drainer.stop()
        self._outbox.close()

    def run_id(self, number: int) -> str | None:
        """MLflow's id of a trial's run; None until the server has told it."""
        return self._mirror.run_ids.get(str(number))

    def where(self) -> str:
        """What a person does to look at the results: a command, or the server's address."""
        return where_to_look(self._uri)

    def _used_for(self, context: str) -> dict[str, str]:
        return {} if self._dataset is None else self._dataset.used_for(context)

    def _begin_finalist(
        self,
        run: str,
        number: int,
        seed: int,
        *,
        params: Mapping[str, object],
        tags: Mapping[str, str],
        seconds: float,
    ) -> None:
        self._put(
            run,
            time=_now() - round(1000 * seconds),
            status="RUNNING",
            params=flat_params(params),
            tags={**tags, "kind": "finalist", "trial_number": str(number), "seed": str(seed)},
            links={"trial_run_id": str(number)},
            dataset=self._used_for("train, valid, test"),
        )

    def _end_run(
        self,
        run: str,
        status: RunStatus,
        *,
        metrics: Mapping[str, float] | None = None,
        step: int = 0,
        texts: Mapping[str, str] | None = None,
        description: str = "",
        **tags: str,
    ) -> None:
        self._open = [other for other in self._open if other != run]
        tags |= _described(description)
        self._put(run, step=step, status=status, tags=tags, metrics=metrics, texts=texts)

    def _put(
        self,
        run: str,
        *,
        time: int | None = None,
        step: int = 0,
        status: RunStatus | None = None,
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        links: Mapping[str, str] | None = None,
        dataset: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
        texts: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
        registration: Mapping[str, Any] | None = None,
    ) -> None:
        update = Update(
            run=run,
            time=_now() if time is None else time,
            step=step,
            status=status,
            params=params or {},
            tags={name: str(text)[:LONGEST_TAG] for name, text in (tags or {}).items()},
            links=links or {},
            dataset=dataset or {},
            metrics={name: float(value) for name, value in (metrics or {}).items()},
            texts=texts or {},
            files=files or {},
            registration=registration or {},
        )
        try:
            self._outbox.append(update)
        except OSError as error:
            logger.warning("%s: %s: an update for MLflow is lost", self._path, error.strerror)


def where_to_look(uri: str) -> str:
    """What a person does to look at a tracking store: a command, or the server's address, credentials masked."""
    masked = mask_credentials(uri)
    return masked if masked.startswith("http") else f"mlflow ui --backend-store-uri {shlex.quote(masked)}"


def finalist_run(number: int, seed: int) -> str:
    """Name of a training of a finalist, within its study and for a person."""
    return f"finalist {number}, seed {seed}"


def _described(description: str) -> dict[str, str]:
    """As a tag; none where there is nothing to say, so that what was said stays."""
    return {DESCRIPTION_TAG: description} if description else {}


def _now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def absolute_uri(uri: str) -> str:
    """A tracking URI that means the same from any working directory.

    Raises:
        InputError: it is of no kind that MLflow can write to.
    """
    scheme, separator, rest = uri.partition("://")
    if scheme == "sqlite" and rest.strip("/"):
        return f"sqlite:///{Path(rest.removeprefix('/')).resolve()}"
    if separator and rest and scheme.partition("+")[0] in ("http", "https", "postgresql", "mysql", "mssql"):
        return uri
    raise InputError(
        f"tracking URI '{mask_credentials(uri)}': write sqlite:///FILE, http://HOST:PORT or postgresql://HOST/NAME"
    )


def flat_params(params: Mapping[str, object]) -> dict[str, str]:
    """Parameters as MLflow keeps them: text, and numbers each under a name of their own.

    `{"dropout_probs": (0.25, 0.5)}` gives `dropout_probs` as well as `dropout_probs_0` and `dropout_probs_1`,
    which the UI can draw as axes; a mapping becomes one parameter a key.
    """
    flat: dict[str, str] = {}
    for name, value in params.items():
        if isinstance(value, Mapping):
            flat |= flat_params({f"{name}_{key}": part for key, part in value.items()})
        elif isinstance(value, Sequence) and not isinstance(value, str):
            flat[name] = str(list(value))
            if all(isinstance(part, (int, float)) for part in value):
                flat |= {f"{name}_{index}": str(part) for index, part in enumerate(value)}
        else:
            flat[name] = str(value)
    return flat


class Mirror:
    """Brings the runs of one study in MLflow up to date.

    Sending the same updates again changes nothing: runs are found by their tags before any is created, and
    MLflow takes a metric with the same time and step once. A call to create a run that was given up, and that a slow
    server heeds all the same later, leaves an empty run beside the one that was created in its stead: such a run is
    deleted when it is seen, at the next connection or at the end of the study.

    Args:
        tracking_uri: absolute.
        header: of the outbox: `study` (its identity), `name`, `experiment`, `artifact_dir`.
        artifact_attempts: sendings after which an artifact that cannot be kept is given up.
        stopping: when set, `send` raises instead of beginning another call.
    Attributes:
        run_ids: MLflow's ids, by the run's name within the study.
        n_given_up: artifacts and updates that MLflow would not take.
    """

    metrics_a_call = 800  # MLflow takes 1000 metrics, parameters and tags at once

    def __init__(
        self,
        tracking_uri: str,
        header: Mapping[str, str],
        *,
        artifact_attempts: int = 3,
        stopping: threading.Event | None = None,
    ) -> None:
        self._stopping = stopping or threading.Event()
        self._has_failed = False
        self._uri = tracking_uri
        self._header = header
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
            self._client = None  # what arrived is unknown: ask anew before creating any run
            self._has_failed = True
            raise

    def tidy(self) -> None:
        """Look for runs that a slow server created after all, and delete them.

        Raises:
            Exception: the server did not answer, or not well.
        """
        self._connect()

    def _connect(self) -> MlflowClient:
        client = _new_client(self._uri)
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
            # A server decides by itself where it keeps artifacts; a database has nobody to decide.
            served = self._uri.startswith("http")
            location = None if served else Path(self._header["artifact_dir"]).as_uri()
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
        run_id = self._run_id(client, run, start=updates[0].time)
        self._log(client, run_id, updates, known=known)
        if datasets := [update.dataset for update in updates if update.dataset]:
            self._unless_refused(client.log_inputs, run_id, [_dataset_input(**datasets[-1])])
        for update in updates:
            self._log_artifacts(client, run_id, update)
        status = [update for update in updates if update.status]
        if status:
            self._set_status(client, run_id, status[-1], known=known)

    def _run_id(self, client: MlflowClient, run: str, *, start: int) -> str:
        """The id of a run, which is created if need be."""
        if run not in self.run_ids:
            tags = {STUDY_TAG: self._header["study"], RUN_TAG: run}
            if run != STUDY_RUN:
                tags["mlflow.parentRunId"] = self._run_id(client, STUDY_RUN, start=start)
            self._check_not_stopping()
            name = self._header["name"] if run == STUDY_RUN else f"trial {run}" if run.isdigit() else run
            created = client.create_run(self._experiment_id, start_time=start, tags=tags, run_name=name)
            self.run_ids[run] = created.info.run_id
        return self.run_ids[run]

    def _log(self, client: MlflowClient, run_id: str, updates: Sequence[Update], *, known: bool) -> None:
        """Log metrics, parameters and tags, all in one call unless they are very many."""
        from mlflow.entities import Param, RunTag

        metrics = chain.from_iterable(map(_metrics, updates))
        params = {name: value for update in updates for name, value in update.params.items()}
        tags = {name: value for update in updates for name, value in update.tags.items()}
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
            self._attempt(f"the artifact {name}", _log_file, client, run_id, path, name)

    def _register(self, client: MlflowClient, run_id: str, registration: Registration) -> None:
        """Register a model, whose tags name its study and the run of its trial."""
        links = {STUDY_TAG: self._header["study"], "trial_run_id": self.run_ids.get(registration.trial, "")}
        linked = replace(registration, tags={**registration.tags, **links})
        self._attempt(f"the model {registration.name}", register, client, run_id, linked)

    def _attempt(self, what: str, log: Callable[..., None], *arguments: Any) -> None:
        """Log an artifact, in a few attempts: a store that cannot keep it must not hold up the metrics."""
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
        """Call, and drop what MLflow says it will never take (say, of a run that somebody deleted)."""
        from mlflow.exceptions import MlflowException

        self._check_not_stopping()
        try:
            call(run_id, *arguments)
        except MlflowException as error:
            if error.error_code not in ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"):
                raise
            self.n_given_up += 1
            logger.warning("MLflow refuses an update of run %s: %s", run_id, root_cause(error))


def _new_client(uri: str) -> MlflowClient:
    """Connect to a store. MLflow takes seconds to import: that happens here, in the thread of the outbox."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "CRITICAL")  # what goes wrong is reported here, in one line
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")  # the outbox tries again by itself
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri)


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
    """By which the run that updates went to stands before an empty one of the same name."""
    return _is_active(run), len(run.data.metrics) + len(run.data.params) + len(run.data.tags)


def _metrics(update: Update) -> list[Metric]:
    from mlflow.entities import Metric

    return [Metric(name, value, update.time, update.step) for name, value in update.metrics.items()]


def _dataset_input(*, context: str, **fields: str) -> DatasetInput:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    return DatasetInput(Dataset(**fields), [InputTag("mlflow.data.context", context)])


def _log_file(client: MlflowClient, run_id: str, path: str, name: str) -> None:
    """Log a file as the artifact `name`; MLflow itself keeps a file's own name."""
    target = PurePosixPath(name)
    folder = None if target.parent == PurePosixPath() else str(target.parent)
    with tempfile.TemporaryDirectory() as temporary:
        link = Path(temporary) / target.name
        link.symlink_to(path)
        client.log_artifact(run_id, str(link), folder)
