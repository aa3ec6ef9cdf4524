"""Records every study, trial and metric in MLflow, without ever delaying or ending a search.

One experiment a dataset, one parent run a study, one child run a trial and a training of a finalist; a comparison of
models is one run without children. Calls append to an outbox; a thread brings MLflow up to date whenever the server
answers (`experiments.tracking.sender`, `experiments.tracking.mlflow_writer`).
"""

from __future__ import annotations

import logging
import secrets
import shlex
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from experiments.tracking.mlflow_client import connect
from experiments.tracking.mlflow_writer import NAME_TAG, STUDY_RUN, MlflowWriter
from experiments.tracking.moved import Place
from experiments.tracking.outbox import Outbox
from experiments.tracking.registry import Registration
from experiments.tracking.sender import Sender
from experiments.tracking.update import OPEN, RunStatus, Update, now
from experiments.tracking.update_fields import dataset_input, flat_params, short_tags
from experiments.tuning.study.dataset import Dataset
from experiments.tuning.study.summary import TrialState
from experiments.tuning.worker.addresses import absolute_tracking_uri, mask_credentials

if TYPE_CHECKING:
    from mlflow import MlflowClient

logger = logging.getLogger(__name__)

RUN_STATUS: dict[TrialState, RunStatus] = {
    "COMPLETE": "FINISHED",
    "PRUNED": "KILLED",
    "FAIL": "FAILED",
    "INTERRUPTED": "KILLED",
    "INFEASIBLE": "KILLED",
}


def open_tracker(
    tracking_uri: str,
    *,
    name: str,
    experiment: str,
    artifact_dir: Path,
    outbox: Path,
    dataset: Dataset | None = None,
    flush_seconds: float = 20.0,
    connect: Callable[[str], MlflowClient] = connect,
) -> Tracker:
    """Open the record of a study, and start the thread that sends it.

    Args:
        tracking_uri: address of a server, or of a database: `sqlite:///FILE`.
        name: name of the study, and of its run.
        experiment: name of the MLflow experiment, one a dataset.
        artifact_dir: where artifacts go when there is no server to keep them.
        outbox: file in which updates wait for the server. With an outbox of an earlier session the study goes
            on in the same runs; a server that has none of them is sent everything.
        dataset: input of the study's run, and of every run below it.
        flush_seconds: how long `end_study` waits at most.
        connect: makes a client of the store.
    Raises:
        InputError: the tracking URI is of no kind that MLflow can write to, another process is writing this study, or
            the outbox is no such file.
    """
    uri = absolute_tracking_uri(tracking_uri)
    receiver = mask_credentials(uri)
    header = {
        "study": secrets.token_hex(8),
        "name": name,
        "experiment": experiment,
        "artifact_dir": str(artifact_dir.resolve()),
        "folder": str(outbox.resolve().parent),
    }
    opened = Outbox(outbox.resolve(), header, receiver=receiver)
    place = Place.of(opened.header, opened.path)
    stopping = threading.Event()
    writer = MlflowWriter(uri, opened.header, place, stopping=stopping, connect=connect)
    sender = Sender(opened, writer.send, name=f"MLflow at {receiver}", stopping=stopping)
    sender.start()
    return Tracker(opened, place, writer, sender, dataset=dataset, flush_seconds=flush_seconds)


class Tracker:
    """The record of one study in MLflow; see `open_tracker`.

    Call `start_study` first. No method raises because of the tracking server, nor waits for it; `end_study` waits
    a bounded time.

    Args:
        outbox: where updates wait for the server.
        place: where the study is.
        writer: brings MLflow up to date; it knows the ids of runs.
        sender: the thread that sends the outbox, started.
        dataset: input of the study's run, and of every run below it; None: not recorded.
        flush_seconds: how long `end_study` waits at most.
    """

    def __init__(
        self,
        outbox: Outbox,
        place: Place,
        writer: MlflowWriter,
        sender: Sender,
        *,
        dataset: Dataset | None = None,
        flush_seconds: float = 20.0,
    ) -> None:
        self._outbox = outbox
        self._place = place
        self._writer = writer
        self._sender = sender
        self._dataset = dataset
        self._flush_seconds = flush_seconds
        runs = outbox.runs()
        self._steps = {run: known.step for run, known in runs.items()}
        self._open = [int(run) for run, known in runs.items() if run.isdigit() and known.status in OPEN]

    # The study

    def start_study(
        self,
        *,
        tags: Mapping[str, str],
        params: Mapping[str, object],
        artifacts: Mapping[str, str],
        description: str = "",
        kind: Literal["study", "comparison"] = "study",
    ) -> None:
        """Open the parent run.

        Args:
            tags: text by name.
            params: values by name; see `flat_params`. A study that goes on keeps its first ones.
            artifacts: text of each artifact, by file name.
            description: Markdown.
            kind: a comparison of models is a study without trials.
        """
        self._append(
            Update(
                run=STUDY_RUN,
                status="RUNNING",
                tags=short_tags({**tags, "kind": kind}, description),
                params=flat_params(params),
                texts=artifacts,
                dataset=self._used_for("train, valid, test"),
            )
        )

    def log_system(self, metrics: Mapping[str, float]) -> None:
        """Log a sample of what the search uses of its machine, in the study's run; from one thread."""
        self._steps[STUDY_RUN] = step = self._steps.get(STUDY_RUN, 0) + 1
        named = {f"system/{name}": value for name, value in metrics.items()}
        self._append(Update(run=STUDY_RUN, step=step, metrics=_floats(named)))

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
            registration: the winner as a model to register; None: nothing is registered.
            description: Markdown, in place of the first description.
        """
        for number in self.open_trials:
            self.end_trial(number, state="INTERRUPTED", reason="the search ended before the trial did", metrics={})
        self._append(
            Update(
                run=STUDY_RUN,
                status=status,
                metrics=_floats(metrics),
                tags=short_tags(tags, description),
                texts=artifacts,
                files={name: self._place.within(path) for name, path in files.items()},
                registration={} if registration is None else self._registration(registration),
            )
        )
        if not self.flush(self._flush_seconds):
            logger.warning(
                "not everything has reached MLflow: the rest waits in %s; `python -m experiments.sync` sends it",
                self._outbox.path,
            )
        self.close()

    # Its trials

    @property
    def open_trials(self) -> list[int]:
        """Numbers of trials whose runs have not ended, those of earlier sessions included."""
        return list(self._open)

    def run_id(self, number: int) -> str | None:
        """MLflow's id of a trial's run; None until the server has created it."""
        return self._writer.run_ids.get(str(number))

    def start_trial(self, number: int, *, params: Mapping[str, object], tags: Mapping[str, str]) -> None:
        """Open the child run of a trial, or go on in it."""
        run = str(number)
        if number not in self._open:
            self._open.append(number)
        if run in self._steps:
            self._append(Update(run=run, status="RUNNING", tags={"state": "RUNNING"}))
            return
        self._steps[run] = 0
        self._append(
            Update(
                run=run,
                status="RUNNING",
                params=flat_params(params),
                tags=short_tags({**tags, "kind": "trial", "trial_number": run, "state": "RUNNING"}),
                dataset=self._used_for("train, valid"),
            )
        )

    def log_epoch(self, number: int, *, epoch: int, metrics: Mapping[str, float]) -> None:
        """Log one epoch of a trial, once; names as in `recall_at_20`, since MLflow refuses `@`."""
        run = str(number)
        if epoch > self._steps.get(run, 0):
            self._steps[run] = epoch
            self._append(Update(run=run, step=epoch, metrics=_floats(metrics)))

    def pause_trial(self, number: int, *, state: str, reason: str) -> None:
        """Mark the run of a trial as waiting: SCHEDULED, in MLflow's words."""
        self._append(Update(run=str(number), status="SCHEDULED", tags=short_tags({"state": state, "reason": reason})))

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
        """Close the run of a trial; one that was interrupted can be started again.

        Args:
            number: number of the trial.
            state: Optuna's; a pruned trial's run is KILLED, as MLflow has no other word for it.
            reason: why it ended, for a person.
            metrics: final figures (`best_mrr_at_10`).
            artifacts: text of each artifact, by file name.
            description: Markdown.
        """
        run = str(number)
        self._open = [other for other in self._open if other != number]
        self._append(
            Update(
                run=run,
                status=RUN_STATUS[state],
                step=self._steps.get(run, 0),  # MLflow shows the value of the last step, and epochs share some names
                metrics=_floats(metrics),
                tags=short_tags({"state": state, "reason": reason}, description),
                texts=artifacts or {},
            )
        )

    # Its finalists

    def log_finalist(
        self,
        number: int,
        seed: int,
        *,
        ordinal: int,
        seconds: float,
        epochs: int,
        params: Mapping[str, object],
        tags: Mapping[str, str],
        metrics: Mapping[str, float],
        description: str,
    ) -> None:
        """Log a training of a finalist as a run of its own, once; again only if it was trained for longer.

        Args:
            number: number of its trial, whose run it points to.
            seed: seed of this training.
            ordinal: place of the seed among the finalists' seeds, from 1.
            seconds: duration of the training, which ends now.
            epochs: epochs trained.
            params: the options that the space varies.
            tags: text by name.
            metrics: final figures.
            description: Markdown.
        """
        run = finalist_run(number, seed)
        if epochs <= self._steps.get(run, 0):
            return
        self._steps[run] = epochs
        self._start_finalist(number, seed, ordinal, tags=tags, params=params, seconds=seconds)
        self._append(
            Update(
                run=run,
                step=epochs,
                status="FINISHED",
                metrics=_floats(metrics),
                tags=short_tags({"state": "COMPLETE"}, description),
            )
        )

    def fail_finalist(
        self, number: int, seed: int, *, ordinal: int, reason: str, tags: Mapping[str, str], description: str
    ) -> None:
        """Log that a training of a finalist was given up."""
        self._start_finalist(number, seed, ordinal, tags=tags)
        ended = short_tags({"state": "FAIL", "reason": reason}, description)
        self._append(Update(run=finalist_run(number, seed), status="FAILED", tags=ended))

    def _start_finalist(
        self,
        number: int,
        seed: int,
        ordinal: int,
        *,
        tags: Mapping[str, str],
        params: Mapping[str, object] | None = None,
        seconds: float = 0.0,
    ) -> None:
        named = {NAME_TAG: f"finalist {number}.{ordinal}"}  # a seed of ten digits does not fit MLflow's column of names
        identity = {"kind": "finalist", "trial_number": str(number), "seed": str(seed)}
        self._append(
            Update(
                run=finalist_run(number, seed),
                time=now() - round(1000 * seconds),
                status="RUNNING",
                params=flat_params(params or {}),
                tags=short_tags({**tags, **named, **identity}),
                links={"trial_run_id": str(number)},
                dataset=self._used_for("train, valid, test"),
            )
        )

    # The outbox

    def flush(self, seconds: float) -> bool:
        """Wait until everything is sent, at most so long; whether it was."""
        return self._sender.flush(seconds)

    def close(self) -> None:
        """Stop sending, and release the outbox; what it still holds can be sent later."""
        self._sender.stop()
        self._outbox.close()

    def _used_for(self, context: str) -> dict[str, str]:
        return {} if self._dataset is None else dataset_input(self._dataset, context)

    def _registration(self, registration: Registration) -> dict[str, object]:
        return {**asdict(registration), "checkpoint": self._place.within(Path(registration.checkpoint))}

    def _append(self, update: Update) -> None:
        try:
            self._outbox.append(update)
        except OSError as error:
            logger.warning("%s: %s: an update for MLflow is lost", self._outbox.path, error.strerror)


def where_to_look(uri: str) -> str:
    """How a person opens a tracking store: a command, or the server's address, credentials masked."""
    masked = mask_credentials(uri)
    return masked if masked.startswith("http") else f"mlflow ui --backend-store-uri {shlex.quote(masked)}"


def finalist_run(number: int, seed: int) -> str:
    """Name of a training of a finalist within its study; it must never change, since it finds the run again."""
    return f"finalist {number}, seed {seed}"


def _floats(metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics as JSON keeps them apart from counts: 3.0, not 3."""
    return {name: float(value) for name, value in metrics.items()}
