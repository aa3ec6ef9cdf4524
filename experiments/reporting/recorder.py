"""Records a study outside its database: in MLflow, on the display, in `summary.json`, the report and the job log."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial

from experiments.reporting.descriptions import describe_finalist, describe_search, describe_trial
from experiments.reporting.display import Display
from experiments.reporting.progress import Progress
from experiments.reporting.report.answer_markdown import answer_markdown
from experiments.reporting.run_contents import (
    epoch_metrics,
    finalist_metrics,
    source_tags,
    study_metrics,
    trial_metrics,
)
from experiments.tracking.registry import registration_of
from experiments.tracking.root_cause import root_cause
from experiments.tracking.system_metrics import SystemMonitor
from experiments.tracking.tracker import Tracker, open_tracker
from experiments.tuning.driver.study_run import EndStatus, Plan
from experiments.tuning.engine.callbacks import Pause
from experiments.tuning.engine.finalists import finalist_seeds
from experiments.tuning.study.constraints import describe as describe_constraints
from experiments.tuning.study.dataset import Dataset
from experiments.tuning.study.environment import git_commit, versions
from experiments.tuning.study.folder import ARTIFACTS, OUTBOX, SUMMARY, WINNER
from experiments.tuning.study.job_log import JobLog
from experiments.tuning.study.objectives import describe
from experiments.tuning.study.results import seconds_trained, state_of, summarize, summarize_trial
from experiments.tuning.study.saved_study import SavedStudy
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.study.storage import StoredTrial
from experiments.tuning.study.stored_spec import stored_spec
from experiments.tuning.study.summary import FinalistFailure, Finals, Summary, write_summary
from experiments.tuning.study.trial_attributes import (
    INFEASIBLE,
    REASON,
    REPLACED,
    RUN_ID,
    TRACEBACK,
    trials_of,
    value_of,
)
from experiments.tuning.worker.jobs import FinalistJob, TrialJob
from experiments.tuning.worker.reports import FinalistRun
from narm.data.sessions import Held
from narm.machine.files import atomic_file
from narm.model_options import used_options
from narm.pulse import EpochProgress
from narm.text.names import plain_part
from narm.training_state import EpochResult

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recording:
    """Opens the recorder of each study of a command; they share the display.

    Args:
        display: where progress is shown.
    """

    display: Display

    @contextmanager
    def open(self, plan: Plan, dataset: Dataset, study: optuna.Study) -> Iterator[Recorder]:
        """The recorder of a study, which shows its progress within the block.

        Raises:
            InputError: another process is writing this study, or its outbox is no such file.
        """
        spec = plan.spec
        tracker = open_tracker(
            spec.tracking_uri,
            name=spec.name,
            experiment=dataset.name,
            artifact_dir=spec.output / ARTIFACTS,
            outbox=spec.folder / OUTBOX,
            dataset=dataset,
        )
        with Progress(
            spec.trials_possible,
            spec.objective,
            most_epochs=spec.build_scheduler().most_epochs(spec.trials_possible, spec.config.training.epochs),
            time_budget=spec.time_budget,
            display=self.display,
            label=plan.label,
        ) as progress:
            if plan.label:
                self.display.print(f"{plan.label}: study {spec.name}")
            recorder = Recorder(spec, dataset, study, tracker, progress)
            recorder.begin()
            yield recorder


class Recorder:
    """Callbacks of the engine, and of the study's end: everything written outside the study database.

    Args:
        spec: specification of the study.
        dataset: description of its data.
        study: Optuna's study, from which the summary is made.
        tracker: records it in MLflow.
        progress: shows it on the display.
    """

    def __init__(
        self, spec: StudySpec, dataset: Dataset, study: optuna.Study, tracker: Tracker, progress: Progress
    ) -> None:
        self._spec = spec
        self._dataset = dataset
        self._study = study
        self._tracker = tracker
        self._progress = progress
        self._jobs = JobLog(spec.folder)
        self._start = time.monotonic()
        self._wall_seconds: float | None = None
        self._trained_before = seconds_trained(trials_of(study))
        self._monitor = SystemMonitor(tracker.log_system)
        self._source = source_tags(spec.name, "experiments.search")

    def begin(self) -> None:
        """Open the study's run in MLflow, with all that is needed to repeat it, and catch up with the database."""
        spec, space = self._spec, self._spec.space
        flat, used = spec.config.flat(), used_options(spec.config.model.model)
        self._tracker.start_study(
            tags={
                **self._source,
                "command": spec.command,
                "git_commit": git_commit() or "",
                "objective": describe(spec.objectives),
                **({"constraints": describe_constraints(spec.constraints)} if spec.constraints else {}),
                "sampler": spec.sampler,
                "scheduler": spec.scheduler,
                "space": space.name,
                **({} if spec.against is None else {"against": Path(spec.against).name}),
                "fingerprint": self._dataset.fingerprint,
            },
            params={name: flat[name] for name in used if name not in space.options},
            artifacts={
                f"space/{plain_part(Path(space.file).name)}": space.source,
                **({"space/by_data.json": _json(space.by_data)} if space.by_data else {}),
                "config.json": _json(flat),
                "environment.json": _json({"git_commit": git_commit(), **versions()}),
            },
            description=describe_search(spec, self._dataset.name),
        )
        self._jobs.session()
        if spec.system_metrics:
            self._monitor.start()
        self._catch_up()
        self._write(self.summary())

    def _catch_up(self) -> None:
        """Show what earlier sessions did, and close the MLflow runs of trials that ended just before a crash."""
        open_trials = self._tracker.open_trials
        for trial in trials_of(self._study):
            known = summarize_trial(trial)
            if trial.state.is_finished() and trial.number in open_trials:
                self._end_run(trial)
            if trial.state.is_finished() or known.epochs:
                self._progress.known(
                    trial.number,
                    known.params,
                    known.epochs,
                    known.value,
                    known.state,
                    may_ship=known.infeasible is None,
                )

    def on_trial_start(self, job: TrialJob, origin: str) -> None:
        """A job of a trial begins."""
        tags = {**self._source, "seed": str(job.seed), "origin": origin}
        self._tracker.start_trial(job.number, params=job.options, tags=tags)
        self._progress.started(job.number, job.options)
        self._jobs.start(job.number)

    def on_epoch(self, number: int, result: EpochResult) -> None:
        """A trial has trained an epoch."""
        self._tracker.log_epoch(number, epoch=result.epoch, metrics=epoch_metrics(result, self._spec))
        value = self._spec.objectives[0].value(result)
        self._progress.epoch(number, result.epoch, value, may_ship=self._may_ship(number))
        self._jobs.epoch(number, result.epoch, result.seconds)

    def on_trial_pause(self, number: int, why: Pause, reason: str) -> None:
        """A trial is paused, awaits a retry, or was interrupted."""
        self._jobs.end(number)
        if why == "INTERRUPTED":
            self._tracker.end_trial(number, state="INTERRUPTED", reason=reason, metrics={})
            return
        self._tracker.pause_trial(number, state=why, reason=reason)
        if why == "PAUSED":
            self._progress.paused(number)
        else:
            self._progress.retried(number, reason)

    def before_trial_end(self, trial: StoredTrial) -> None:
        """Keep the id of the trial's run in MLflow with the trial, as far as the server has given one."""
        if (run_id := self._tracker.run_id(trial.number)) is not None:
            trial.set_attribute(RUN_ID, run_id)

    def on_trial_end(self, trial: FrozenTrial) -> None:
        """A trial reached a final state."""
        self._jobs.end(trial.number)
        self._end_run(trial)
        if (state := state_of(trial)) == "INFEASIBLE":
            self._progress.skipped(trial.number, trial.user_attrs[REASON])
        else:
            self._progress.finished(trial.number, state, value_of(trial))
        self._write(self.summary())

    def _may_ship(self, number: int) -> bool:
        """Whether a trial keeps the constraints; the database is asked only where there are any."""
        return not self._spec.constraints or INFEASIBLE not in trials_of(self._study)[number].user_attrs

    def _end_run(self, trial: FrozenTrial) -> None:
        known = summarize_trial(trial)
        failure = trial.user_attrs.get(TRACEBACK)
        self._tracker.end_trial(
            trial.number,
            state=known.state,
            reason=known.reason or "",
            metrics=trial_metrics(trial),
            artifacts={"traceback.txt": failure} if failure and known.state == "FAIL" else {},
            description=describe_trial(known, self._spec.objective),
        )

    def on_progress(self, job: TrialJob | FinalistJob, progress: EpochProgress) -> None:
        """A job is so far in an epoch."""
        if isinstance(job, TrialJob):
            self._progress.within_epoch(job.number, progress)
        else:
            self._progress.within_epoch(job.finalist.number, progress, seed=job.seed)

    def on_finalists_start(self, n_runs: int) -> None:
        """Training of the finalists begins, in so many runs at most."""
        self._progress.finalists(n_runs)

    def on_finalist_end(self, outcome: FinalistRun | FinalistFailure) -> None:
        """A run of a finalist is done, now or by an earlier session, or was given up."""
        spec = self._spec
        description = describe_finalist(outcome, spec.objective)
        ordinal = 1 + finalist_seeds(spec.seed, spec.finalist_seeds).index(outcome.seed)
        if isinstance(outcome, FinalistFailure):
            self._tracker.fail_finalist(
                outcome.number,
                outcome.seed,
                ordinal=ordinal,
                reason=outcome.reason,
                tags=self._source,
                description=description,
            )
        else:
            self._tracker.log_finalist(
                outcome.finalist.number,
                outcome.seed,
                ordinal=ordinal,
                seconds=outcome.seconds,
                epochs=outcome.epochs,
                params=outcome.finalist.options,
                tags=self._source,
                metrics=finalist_metrics(outcome, spec.config.evaluation.objective),
                description=description,
            )
        self._progress.finalist_done(outcome)

    def on_refit_start(self, n_runs: int, on: Held) -> None:
        """So many runs that ship are to be trained again, on what was held out too."""
        self._progress.refit(n_runs, on)

    def on_bag_start(self, n_runs: int) -> None:
        """So many runs of the finalist to ship are to become one model."""
        self._progress.bag(n_runs)

    def on_search_end(self) -> None:
        """The search is over, and its clock stops; finalists may follow."""
        self._wall_seconds = time.monotonic() - self._start

    def end(
        self,
        status: EndStatus,
        reason: str,
        finals: Finals | None,
        model: Path | None,
    ) -> Summary:
        """Close the study's run in MLflow, with the summary, the report and the checkpoint to ship.

        A search that came to its end registers it as a model, unless it says to keep the one that a person has.
        """
        self._monitor.stop()
        summary = self.summary(reason, finals)
        self._write(summary)
        kept = None if model is None else self._keep_winner(model)
        ships = status == "FINISHED" and summary.keep is None
        self._tracker.end_study(
            status=status,
            metrics=study_metrics(summary) | {REPLACED: self._study.user_attrs.get(REPLACED, 0)},
            tags={"reason": reason, "winner": _number(summary.winner), "recommended": _recommended(summary)},
            artifacts={SUMMARY: _json(asdict(summary))},
            files=({} if kept is None else {"winner/model.pt": kept}) | self._report(summary),
            description=answer_markdown(summary),
            registration=registration_of(summary, kept) if kept and ships else None,
        )
        summary = self.summary(reason, finals)  # the ids of the last runs are known by now
        self._write(summary)
        return summary

    def _keep_winner(self, model: Path) -> Path:
        """Copy the checkpoint to ship, since a study that goes on may overwrite the original."""
        winner = self._spec.folder / WINNER
        try:
            with model.open("rb") as source, atomic_file(winner) as target:
                shutil.copyfileobj(source, target)
        except OSError as error:  # a full disk must not end the search: the model stays where it is
            logger.warning("%s: cannot be written (%s): the model to ship is %s", winner, error.strerror, model)
            return model
        return winner

    def _report(self, summary: Summary) -> dict[str, Path]:
        """Write the page and the figures; paths by the name of the artifact. An error must not end the search."""
        spec = self._spec
        saved = SavedStudy(
            study=self._study,
            record=stored_spec(spec, self._dataset.fingerprint),
            summary=summary,
            folder=spec.folder,
            storage=spec.storage,
        )
        try:
            from experiments.reporting.report.publish import publish  # plotly and matplotlib take a second to import

            return publish(saved)
        except Exception as error:
            logger.warning("%s: there is no report: %s", spec.folder, root_cause(error))
            return {}

    def summary(self, reason: str | None = None, finals: Finals | None = None) -> Summary:
        """Summarize the study in its present state."""
        return summarize(
            self._spec,
            self._dataset,
            self._study,
            run_id=self._tracker.run_id,
            wall_seconds=self._wall_seconds or time.monotonic() - self._start,
            trained_before=self._trained_before,
            reason=reason,
            finals=finals,
        )

    def _write(self, summary: Summary) -> None:
        try:
            write_summary(self._spec.folder / SUMMARY, summary)
        except OSError as error:  # a full disk must not end the search: the study has everything
            logger.warning("%s: summary.json is not up to date: %s", self._spec.folder, error.strerror)


def _number(trial: int | None) -> str:
    return "" if trial is None else str(trial)


def _recommended(summary: Summary) -> str:
    """The trial to ship, or `keep prod.pt`."""
    return _number(summary.recommended) if summary.keep is None else f"keep {summary.keep}"


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False)
