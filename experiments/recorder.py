"""Tells MLflow, the progress display and `summary.json` what happens in a study."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import asdict
from typing import Any, Literal

import optuna
from optuna.trial import FrozenTrial

from experiments.distinct import REPLACED
from experiments.environment import git_commit, versions
from experiments.progress import Progress
from experiments.results import state_of, summarize, winner
from experiments.spec import StudySpec
from experiments.summary import FinalMetrics, Summary, write_summary
from experiments.tracking import Tracker
from experiments.trainable import EpochReport, checkpoint_path
from narm.data.sessions import Splits

logger = logging.getLogger(__name__)


class Recorder:
    """The searcher's listener: everything that is written outside the study database goes through it.

    Args:
        spec: of the study.
        splits: the data.
        study: the truth, from which the summary is made.
        tracker: MLflow.
        progress: the display.
    """

    def __init__(
        self, spec: StudySpec, splits: Splits, study: optuna.Study, tracker: Tracker, progress: Progress
    ) -> None:
        self._spec = spec
        self._splits = splits
        self._study = study
        self._tracker = tracker
        self._progress = progress
        self._start = time.monotonic()

    def begin(self) -> None:
        """Open the study's run in MLflow, with all that is needed to repeat it."""
        spec, space = self._spec, self._spec.space
        flat = spec.config.flat()
        self._tracker.start_study(
            spec.name,
            tags={
                "command": spec.command,
                "git_commit": git_commit() or "",
                "objective": spec.objective,
                "sampler": spec.sampler,
                "scheduler": spec.scheduler,
                "space": space.name,
                "fingerprint": self._splits.fingerprint,
            },
            params={name: value for name, value in flat.items() if name not in space.options},
            artifacts={
                f"space/{space.file.rpartition('/')[2]}": space.source,
                "config.json": _json(flat),
                "environment.json": _json({"git_commit": git_commit(), **versions()}),
            },
        )
        self._write(self.summary())

    def started(self, number: int, options: dict[str, Any]) -> None:
        """A trial begins."""
        self._tracker.start_trial(number, params=options, tags={"study": self._spec.name})
        self._progress.started(number, options)

    def reported(self, number: int, report: EpochReport) -> None:
        """A trial has trained an epoch."""
        metrics = {
            "train_loss": report.train_loss,
            "epoch_seconds": report.seconds,
            "targets_per_second": report.targets_per_second,
            **(report.valid or {}),
        }
        self._tracker.log_epoch(number, epoch=report.epoch, metrics=metrics)
        self._progress.epoch(number, report.epoch, report.value)

    def finished(self, trial: FrozenTrial) -> None:
        """A trial has ended."""
        attributes = trial.user_attrs
        metrics = {f"best_{name}": value for name, value in attributes.get("valid", {}).items()}
        metrics |= {name: attributes[name] for name in ("best_epoch", "epochs", "seconds") if name in attributes}
        state = state_of(trial)
        self._tracker.end_trial(trial.number, state=state, reason=attributes["reason"], metrics=metrics)
        self._progress.finished(trial.number, state, trial.value)
        self._write(self.summary())

    def run_id(self, number: int) -> str | None:
        """The MLflow run of a trial, as far as it is known."""
        return self._tracker.run_id(number)

    def end(self, status: Literal["FINISHED", "KILLED", "FAILED"], reason: str, test: FinalMetrics | None) -> Summary:
        """Close the study's run in MLflow, with the winner's checkpoint and the summary."""
        best = winner(self._study)
        summary = self.summary(test)
        self._tracker.end_study(
            status=status,
            metrics=_study_metrics(summary) | {REPLACED: self._study.user_attrs.get(REPLACED, 0)},
            tags={"reason": reason, "winner": "" if best is None else str(best.number)},
            artifacts={"summary.json": _json(asdict(summary))},
            files={} if best is None else {"winner/model.pt": checkpoint_path(self._spec.checkpoints, best.number)},
        )
        summary = self.summary(test)  # MLflow has told the last runs' ids by now
        self._write(summary)
        return summary

    def summary(self, test: FinalMetrics | None = None) -> Summary:
        """Of the study as it stands."""
        numbers = [trial.number for trial in self._study.get_trials(deepcopy=False)]
        return summarize(
            self._spec,
            self._splits,
            self._study,
            run_ids={number: self.run_id(number) for number in numbers},
            wall_seconds=time.monotonic() - self._start,
            test=test,
        )

    def _write(self, summary: Summary) -> None:
        try:
            write_summary(self._spec.folder / "summary.json", summary)
        except OSError as error:  # a full disk must not end the search: the study has everything
            logger.warning("%s: summary.json is not up to date: %s", self._spec.folder, error.strerror)


def _study_metrics(summary: Summary) -> dict[str, float]:
    """The figures by which studies are compared in MLflow."""
    metrics = dict(asdict(summary.timing)) | dict(asdict(summary.counts))
    if summary.best is not None:
        metrics |= {f"best_{name}": value for name, value in summary.best.valid.items()}
    if summary.test is not None:
        metrics |= {f"test_{name}": value for name, value in summary.test.winner.items()}
    return metrics


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False)
