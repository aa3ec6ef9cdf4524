"""Leaves every study, trial and metric in MLflow, without ever holding up or ending a search.

One experiment a dataset, one parent run a study, one child run a trial and a training of a finalist; a comparison of
models is one run without children. Calls append to an outbox; its thread brings MLflow up to date whenever the server
answers, through `experiments.tracking.mlflow_writer`.
"""

from __future__ import annotations

import json
import logging
import secrets
import shlex
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from experiments.tracking.mlflow_writer import NAME_TAG, STUDY_RUN, MlflowWriter
from experiments.tracking.outbox import OPEN, Drainer, Outbox, RunStatus, Update
from experiments.tracking.registry import Registration
from experiments.tuning.study.dataset import Dataset
from experiments.tuning.study.summary import TrialState
from experiments.tuning.worker.addresses import absolute_tracking_uri, mask_credentials

logger = logging.getLogger(__name__)

RUN_STATUS: dict[TrialState, RunStatus] = {
    "COMPLETE": "FINISHED",
    "PRUNED": "KILLED",
    "FAIL": "FAILED",
    "INTERRUPTED": "KILLED",
}

DESCRIPTION_TAG = "mlflow.note.content"  # what the UI shows as the description, as Markdown
LONGEST_TAG = 8000  # characters that MLflow takes
DIGEST_LENGTH = 12  # enough to tell data apart, and room in the table's column


def open_tracker(
    tracking_uri: str,
    *,
    name: str,
    experiment: str,
    artifact_dir: Path,
    outbox: Path,
    dataset: Dataset | None = None,
    flush_seconds: float = 20.0,
) -> Tracker:
    """Open the record of a study, and the thread that sends it.

    Args:
        tracking_uri: address of a server, or of a database: `sqlite:///FILE`.
        name: name of the study, and of its run.
        experiment: name of the MLflow experiment, one a dataset.
        artifact_dir: where artifacts go when there is no server to keep them.
        outbox: file in which updates wait for the server. With an outbox of an earlier session the study goes
            on in the same runs; a server that has none of them is sent everything.
        dataset: input of the study's run, and of every run below it.
        flush_seconds: how long `end_study` waits at most.
    Raises:
        InputError: the tracking URI is of no kind that MLflow can write to, another process is writing this study, or
            the outbox is no such file.
    """
    uri = absolute_tracking_uri(tracking_uri)
    header = {
        "study": secrets.token_hex(8),
        "name": name,
        "experiment": experiment,
        "artifact_dir": str(artifact_dir.resolve()),
    }
    opened = Outbox(outbox.resolve(), header, receiver=mask_credentials(uri))
    stopping = threading.Event()
    writer = MlflowWriter(uri, opened.header, stopping=stopping)
    drainer = Drainer(opened, writer.send, name=f"MLflow at {mask_credentials(uri)}", stopping=stopping)
    drainer.start()
    return Tracker(opened, writer, drainer, dataset=dataset, flush_seconds=flush_seconds)


class Tracker:
    """The record of one study in MLflow; see `open_tracker`.

    `start_study` comes first. No method raises because of the tracking server, nor waits for it; `end_study` waits
    a bounded time.

    Args:
        outbox: where updates wait for the server.
        writer: brings MLflow up to date; it knows the ids of runs.
        drainer: the thread that sends the outbox, started.
        dataset: input of the study's run, and of every run below it; None: not recorded.
        flush_seconds: how long `end_study` waits at most.
    """

    def __init__(
        self,
        outbox: Outbox,
        writer: MlflowWriter,
        drainer: Drainer,
        *,
        dataset: Dataset | None = None,
        flush_seconds: float = 20.0,
    ) -> None:
        self._outbox = outbox
        self._writer = writer
        self._drainer = drainer
        self._dataset = dataset
        self._flush_seconds = flush_seconds
        standing = outbox.standing()
        self._steps = {run: of_run.step for run, of_run in standing.items()}
        self._open = [run for run, of_run in standing.items() if run.isdigit() and of_run.status in OPEN]

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
        self._put(
            STUDY_RUN,
            status="RUNNING",
            tags={**tags, "kind": kind, **_described(description)},
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
            number: of its trial, whose run it points to.
            seed: of this training.
            ordinal: of the seed among the finalists', from 1.
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
            self._begin_finalist(run, number, seed, ordinal, params=params, tags=tags, seconds=seconds)
            self._end_run(run, "FINISHED", metrics=metrics, step=epochs, description=description, state="COMPLETE")

    def fail_finalist(
        self, number: int, seed: int, *, ordinal: int, reason: str, tags: Mapping[str, str], description: str
    ) -> None:
        """Log that a training of a finalist was given up."""
        run = finalist_run(number, seed)
        self._begin_finalist(run, number, seed, ordinal, params={}, tags=tags, seconds=0.0)
        self._end_run(run, "FAILED", description=description, state="FAIL", reason=reason)

    def pause_trial(self, number: int, *, state: str, reason: str) -> None:
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
            metrics: final figures (`best_mrr_at_10`).
            artifacts: text of each artifact, by file name.
            description: Markdown.
        """
        self._end_run(
            str(number),
            RUN_STATUS[state],
            metrics=metrics,
            step=self._steps.get(str(number), 0),  # the last, which MLflow shows of a name that the epochs have too
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
                self._outbox.path,
            )
        self._drainer.stop()
        self._outbox.close()

    def run_id(self, number: int) -> str | None:
        """MLflow's id of a trial's run; None until the server has told it."""
        return self._writer.run_ids.get(str(number))

    def _used_for(self, context: str) -> dict[str, str]:
        return {} if self._dataset is None else dataset_input(self._dataset, context)

    def _begin_finalist(
        self,
        run: str,
        number: int,
        seed: int,
        ordinal: int,
        *,
        params: Mapping[str, object],
        tags: Mapping[str, str],
        seconds: float,
    ) -> None:
        called = f"finalist {number}.{ordinal}"  # a seed of ten digits does not fit MLflow's column of names
        self._put(
            run,
            time=_now() - round(1000 * seconds),
            status="RUNNING",
            params=flat_params(params),
            tags={**tags, NAME_TAG: called, "kind": "finalist", "trial_number": str(number), "seed": str(seed)},
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
            logger.warning("%s: %s: an update for MLflow is lost", self._outbox.path, error.strerror)


def where_to_look(uri: str) -> str:
    """What a person does to look at a tracking store: a command, or the server's address, credentials masked."""
    masked = mask_credentials(uri)
    return masked if masked.startswith("http") else f"mlflow ui --backend-store-uri {shlex.quote(masked)}"


def finalist_run(number: int, seed: int) -> str:
    """Name of a training of a finalist within its study; what finds its run again must never change."""
    return f"finalist {number}, seed {seed}"


def _described(description: str) -> dict[str, str]:
    """As a tag; none where there is nothing to say, so that what was said stays."""
    return {DESCRIPTION_TAG: description} if description else {}


def _now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def dataset_input(dataset: Dataset, context: str) -> dict[str, str]:
    """The fields of an MLflow dataset, and what a run used it for; the data themselves are not sent."""
    counts = {
        "n_items": dataset.n_items,
        "n_sessions": dataset.n_sessions,
        "n_train": dataset.n_train,
        "n_valid": dataset.n_valid,
        "n_test": dataset.n_test,
    }
    return {
        "name": dataset.name,
        "digest": dataset.fingerprint[:DIGEST_LENGTH],
        "source_type": "code",  # of those that MLflow can read, the one that promises no address
        "source": json.dumps({"tags": {"dataset": dataset.source}}, ensure_ascii=False),
        "profile": json.dumps({**counts, "sha256": dataset.fingerprint}),
        "context": context,
    }


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
