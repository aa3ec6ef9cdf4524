"""A study under way: its search, then its finalists, then the verdict. Knows no Ray."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

import optuna

from experiments.reporting.progress import Display, Progress
from experiments.reporting.recorder import Recorder
from experiments.tracking.tracker import Tracker
from experiments.tuning.engine.engine import Engine, Idle, Listener
from experiments.tuning.engine.finalist_queue import FinalistQueue
from experiments.tuning.engine.verdict import judge_finalists
from experiments.tuning.optimizer.samplers import SAMPLERS
from experiments.tuning.optimizer.scheduler import Decision
from experiments.tuning.study.folder import OUTBOX
from experiments.tuning.study.limits import INTERRUPTED, TIME_BUDGET
from experiments.tuning.study.results import default_trial, summarize_trial, winner
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.study.storage import closing_study, create_study, resume_study
from experiments.tuning.study.summary import Finals, Summary
from experiments.tuning.study.trial_attributes import DEFAULT, NEVER_STOPPED, ORIGIN, trials_of
from experiments.tuning.study.warm_start import Queued
from experiments.tuning.worker.checkpoints import trial_checkpoint
from experiments.tuning.worker.finalists import (
    Finalist,
    FinalistJob,
    FinalistRun,
    best_checkpoint,
    choose_finalists,
    finalist_seeds,
)
from experiments.tuning.worker.jobs import Training, TrialJob
from experiments.tuning.worker.reports import EpochReport
from narm.data.sessions import Splits
from narm.evaluation.full_ranking import chosen_targets

Phase = Literal["search", "finalists", "over"]

Report = EpochReport | FinalistRun | int
"""What a job reports: of a trial every epoch; of a finalist the epochs trained so far, and at last its run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A study to run.

    Attributes:
        spec: what to do.
        resume: go on with the study of that name; else it must be a new one.
        queue: configurations to try first, after the default one.
        label: what to call it on the display, beside other studies.
    """

    spec: StudySpec
    resume: bool = False
    queue: Sequence[Queued] = ()
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResult:
    """What a study came to.

    Attributes:
        summary: also in `summary.json`.
        reason: why it ended: one of the constants of the engine or of `experiments.tuning.study.limits`.
        mlflow: where to look at its runs.
    """

    summary: Summary
    reason: str
    mlflow: str


def build_engine(spec: StudySpec, study: optuna.Study, listener: Listener) -> Engine:
    """The engine of a study, as its spec says.

    Args:
        spec: what to do.
        study: that the engine keeps up to date.
        listener: who else should know.
    """
    return Engine(
        study=study,
        space=spec.space,
        config=spec.config,
        objectives=spec.objectives,
        sampler=SAMPLERS[spec.sampler],
        scheduler=spec.build_scheduler(),
        n_trials=spec.trials_possible,
        limits=spec.limits,
        listener=listener,
    )


class StudyRun:
    """Hands out the jobs of a study, takes what they report, and records it all; it begins when it is made.

    Args:
        plan: what to do.
        splits: the data; the test split is read once, at the end, for the finalists; not after Ctrl-C.
        training: how it is trained.
        display: where its progress is shown.

    Attributes:
        result: what it came to; None before it is over.
    Raises:
        InputError: the study exists, or is another than the spec says, or its folder or storage cannot be written.
    """

    def __init__(self, plan: Plan, splits: Splits, training: Training, display: Display) -> None:
        self.result: StudyResult | None = None
        spec = plan.spec
        self._spec, self._splits, self._training = spec, splits, training
        self._deadline = None if spec.time_budget is None else time.monotonic() + spec.time_budget
        self._phase: Phase = "search"
        self._finalists: FinalistQueue | None = None
        self._tracker = Tracker(
            spec.tracking_uri,
            experiment=splits.name,
            artifact_dir=spec.output / "artifacts",
            outbox=spec.folder / OUTBOX,
        )
        self._resources = ExitStack()
        opened = (resume_study if plan.resume else create_study)(spec, splits.fingerprint)
        self._study = self._resources.enter_context(closing_study(opened))
        self._progress = self._resources.enter_context(
            Progress(
                spec.trials_possible,
                spec.objective,
                most_epochs=spec.build_scheduler().most_epochs(spec.trials_possible, spec.config.training.epochs),
                time_budget=spec.time_budget,
                display=display,
                label=plan.label,
            )
        )
        if plan.label:
            display.print(f"{plan.label}: study {spec.name}")
        self._recorder = Recorder(spec, splits, self._study, self._tracker, self._progress)
        self._recorder.begin()
        try:
            training.checkpoints.prepare()
            self._engine = build_engine(spec, self._study, self._recorder)
            self._enqueue(plan.queue)
        except BaseException as error:
            self._give_up(error)
            raise

    def _enqueue(self, queue: Sequence[Queued]) -> None:
        """The default configuration is trial 0; what a person wants tried comes next.

        The default is a finalist, trained to its end there. Where there are none, its trial is; a comparison of models
        needs neither.
        """
        flat = self._spec.config.flat()
        marks = {DEFAULT: True} if self._spec.finalists else {DEFAULT: True, NEVER_STOPPED: True}
        self._engine.enqueue({name: flat[name] for name in self._spec.space.options}, **marks)
        for queued in queue:
            self._engine.enqueue(queued.options, **{ORIGIN: queued.origin})

    # What Ray Tune asks, and tells

    def next_job(self) -> TrialJob | FinalistJob | Idle:
        """What to train next: the trials' jobs, and when the search is over the finalists'; then comes the verdict."""
        job: TrialJob | FinalistJob | Idle = Idle.DONE
        if self._phase == "search" and (job := self._engine.next_job()) is Idle.DONE:
            self._end_search()
        if self._finalists is not None and (job := self._finalists.next_job()) is Idle.DONE:
            self._judge(self._finalists)
        return job

    def report(self, job: TrialJob | FinalistJob, report: Report) -> Decision:
        """Take what a job reports; whether it goes on."""
        if isinstance(job, TrialJob) and isinstance(report, EpochReport):
            return self._engine.report(job.number, report)
        if isinstance(report, FinalistRun) and self._finalists is not None:
            self._finalists.trained(report)
            return Decision.STOP
        return Decision.CONTINUE

    def failed(self, job: TrialJob | FinalistJob, reason: str, details: str, *, worth_a_retry: bool) -> None:
        """Take the failure of a job.

        Args:
            job: that failed.
            reason: in one line.
            details: the traceback.
            worth_a_retry: whether a second attempt could end otherwise.
        """
        if isinstance(job, TrialJob):
            self._engine.failed(job.number, reason, details, worth_a_retry=worth_a_retry)
        elif self._finalists is not None:
            self._finalists.failed(job, reason, worth_a_retry=worth_a_retry)

    # How it ends

    @property
    def may_end(self) -> bool:
        """Whether no job in flight is worth waiting for: it is over, or its search is to end now."""
        ends_now = self._engine.reason is not None and self._engine.is_training
        return self._phase == "over" or (self._phase == "search" and ends_now)

    def look_at_the_clock(self) -> None:
        """End the search if its time is over."""
        if self._phase == "search" and self._deadline is not None and time.monotonic() >= self._deadline:
            self._engine.stop(TIME_BUDGET)

    def settle(self, *, is_interrupted: bool) -> None:
        """Take the end of a run of Ray Tune.

        Args:
            is_interrupted: whether a person ended it: the study goes no further, and can be resumed.
        """
        if self._phase == "over":
            return
        if is_interrupted:
            self._engine.stop(INTERRUPTED)
        if self._phase == "search":
            self._end_search()
        if is_interrupted and self._phase == "finalists":
            self._finish(INTERRUPTED)

    def abandon(self, error: BaseException) -> None:
        """Leave it as one that can go on, because of an error; one that is over stays as it is."""
        if self._phase != "over":
            self._engine.close()
            self._give_up(error)

    def _give_up(self, error: BaseException) -> None:
        status: Literal["KILLED", "FAILED"] = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
        self._recorder.end(status, f"{type(error).__name__}: {error}")
        self._phase = "over"
        self._resources.close()

    def _end_search(self) -> None:
        self._reason = self._engine.close()
        self._recorder.searched()
        finalists = [] if self._reason == INTERRUPTED else self._choose_finalists()
        if finalists:
            self._phase = "finalists"
            self._training.finalist_checkpoints.prepare()
            seeds = finalist_seeds(self._spec.seed, self._spec.finalist_seeds)
            self._progress.finalists(len(finalists) * len(seeds))
            self._finalists = FinalistQueue(
                finalists,
                seeds,
                splits=self._splits,
                config=self._spec.config,
                folder=self._spec.folder / "finalists",
                on_done=self._recorder.finalist_done,
            )
        else:
            self._finish(self._reason)

    def _choose_finalists(self) -> list[Finalist]:
        known, spec = trials_of(self._study), self._spec
        default, trials = default_trial(known), [summarize_trial(trial) for trial in known]
        return choose_finalists(
            trials, default=default.number if default else None, k=spec.finalists, with_default=spec.default_is_finalist
        )

    def _judge(self, trained: FinalistQueue) -> None:
        """Who is the best of the finalists, and how sure that is."""
        spec = self._spec
        finals = judge_finalists(
            trained.runs,
            trained.failures,
            test=chosen_targets(self._splits.test, spec.config.evaluation),
            objective=spec.objective,
            seed=spec.seed,
        )
        shipped = None if finals is None else best_checkpoint(trained.runs, finals.recommended, spec.config)
        self._finish(self._reason, finals, shipped)

    def _finish(self, reason: str, finals: Finals | None = None, shipped: str | None = None) -> None:
        """Record the end.

        Args:
            reason: why.
            finals: the verdict on the finalists; None: there is none.
            shipped: name of the finalist's checkpoint to ship; None: it is that of the best trial.
        """
        checkpoints = self._training.checkpoints if shipped is None else self._training.finalist_checkpoints
        name = shipped or self._best()
        model = None if name is None else checkpoints.fetch(name, self._spec.folder)
        status: Literal["KILLED", "FINISHED"] = "KILLED" if reason == INTERRUPTED else "FINISHED"
        summary = self._recorder.end(status, reason, finals, model)
        self.result = StudyResult(summary=summary, reason=reason, mlflow=self._tracker.where())
        self._phase, self._finalists = "over", None
        self._resources.close()

    def _best(self) -> str | None:
        """Name of the checkpoint of the best trial."""
        best = winner(trials_of(self._study))
        return None if best is None else trial_checkpoint(best.number)
