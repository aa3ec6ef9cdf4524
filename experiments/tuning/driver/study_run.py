"""A study in progress: its search, then its finalists, then the verdict, and the model that it says to ship."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

import optuna

from experiments.tuning.engine.callbacks import Callbacks
from experiments.tuning.engine.engine import Engine, Idle
from experiments.tuning.engine.feasibility import Feasibility
from experiments.tuning.engine.finalist_queue import FinalistQueue
from experiments.tuning.engine.finalists import choose_finalists, finalist_seeds, runs_of, values_that_count
from experiments.tuning.engine.incumbent import Incumbent, with_incumbent
from experiments.tuning.engine.shipment import Shipment
from experiments.tuning.engine.verdict import judge_finalists
from experiments.tuning.optimizer.samplers import SAMPLERS
from experiments.tuning.optimizer.scheduler import Decision
from experiments.tuning.study.database import DATABASE_ERRORS
from experiments.tuning.study.dataset import Dataset
from experiments.tuning.study.finalist_epochs import finalist_epochs
from experiments.tuning.study.finalist_runs import FinalistRuns
from experiments.tuning.study.folder import FINALISTS
from experiments.tuning.study.limits import FAILED, INTERRUPTED, TIME_BUDGET
from experiments.tuning.study.results import default_trial, summarize_trial, winner
from experiments.tuning.study.shipping_results import ShippingResults
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.study.storage import closing_study, create_study, keep_database, resume_study, store_spec
from experiments.tuning.study.summary import FinalistFailure, Finals, Summary
from experiments.tuning.study.trial_attributes import COSTS, DEFAULT, NEVER_STOPPED, ORIGIN, RECIPE, SKIPPED, trials_of
from experiments.tuning.study.warm_start import Queued
from experiments.tuning.worker.checkpoints import trial_checkpoint
from experiments.tuning.worker.jobs import Finalist, FinalistJob, Job, RefitJob, ShippingJob, Training, TrialJob
from experiments.tuning.worker.reports import FinalistRun, JobFailure, RefitRun, Report, ShippingResult
from narm.data.sessions import Examples, Held, Refit
from narm.evaluation.full_ranking import chosen_targets
from narm.footprint import Costs
from narm.models import MODELS
from narm.pulse import EpochProgress
from narm.training_state import EpochResult

logger = logging.getLogger(__name__)

Phase = Literal["search", "finalists", "shipping", "over"]
EndStatus = Literal["FINISHED", "KILLED", "FAILED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A study to run.

    Attributes:
        spec: what to do.
        resume: go on with the study of that name; else it must be a new one.
        queue: configurations to try first, after the default one and the recipe.
        label: what to call the study on the display, beside others.
        incumbent: the model of `spec.against`, if one is named.
    """

    spec: StudySpec
    resume: bool = False
    queue: Sequence[Queued] = ()
    label: str = ""
    incumbent: Incumbent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResult:
    """What a study came to.

    Attributes:
        summary: also in `summary.json`.
        reason: why it ended: one of the constants of the engine or of `limits`.
    """

    summary: Summary
    reason: str


class Recorder(Callbacks, Protocol):
    """Records a study outside its database, for people and other programs."""

    def on_search_end(self) -> None:
        """The search is over; finalists may follow."""

    def on_finalists_start(self, n_runs: int) -> None:
        """So many runs of finalists are to be trained, at most."""

    def on_progress(self, job: TrialJob | FinalistJob, progress: EpochProgress) -> None:
        """A job is so far in an epoch."""

    def on_finalist_end(self, outcome: FinalistRun | FinalistFailure) -> None:
        """A run of a finalist is done, now or by an earlier session, or was given up."""

    def on_refit_start(self, n_runs: int, on: Held) -> None:
        """So many runs that ship are to be trained again, on what was held out too."""

    def on_bag_start(self, n_runs: int) -> None:
        """So many runs of the finalist to ship are to become one model."""

    def end(self, status: EndStatus, reason: str, finals: Finals | None, model: Path | None) -> Summary:
        """The study has ended.

        Args:
            status: whether it came to its end, was interrupted, or failed.
            reason: why it ended.
            finals: the verdict on the finalists; None: there is none.
            model: the checkpoint to ship; None: there is none.
        """


OpenRecorder = Callable[[Plan, Dataset, optuna.Study], AbstractContextManager[Recorder]]
"""Opens the recorder of a study; it is closed when the study is over."""


def begin_study(
    plan: Plan, dataset: Dataset, test: Examples, training: Training, open_recorder: OpenRecorder
) -> StudyRun:
    """Open a study, its recorder and its engine.

    Args:
        plan: what to do.
        dataset: what is known of the data.
        test: the test split, read once, at the end, for the finalists.
        training: how jobs are trained.
        open_recorder: opens the recorder.
    Raises:
        InputError: the study exists, or is another than the spec says, or its folder or storage cannot be written.
    """
    with ExitStack() as resources:
        spec = plan.spec
        deadline = None if spec.time_budget is None else time.monotonic() + spec.time_budget
        opened = (resume_study if plan.resume else create_study)(spec, dataset.fingerprint)
        study = resources.enter_context(closing_study(opened))
        recorder = resources.enter_context(open_recorder(plan, dataset, study))
        try:
            store_spec(study, spec, dataset.fingerprint)  # only now is it sure that no other process is at this study
            training.checkpoints.prepare()
            incumbent = None if plan.incumbent is None else plan.incumbent.kept_in(spec.folder)
            engine = build_engine(spec, study, recorder, n_items=dataset.n_items)
            _enqueue(plan, engine)
        except BaseException as error:
            recorder.end(*_status_of(error), None, None)
            raise
        return StudyRun(
            spec=spec,
            study=study,
            engine=engine,
            recorder=recorder,
            training=training,
            test=chosen_targets(test, spec.config.evaluation),
            refit=spec.refit_on(dataset.held_out),
            incumbent=incumbent,
            fingerprint=dataset.fingerprint,
            deadline=deadline,
            resources=resources.pop_all(),
        )


def build_engine(spec: StudySpec, study: optuna.Study, callbacks: Callbacks, *, n_items: int = 0) -> Engine:
    """The engine of a study, as its spec says.

    Args:
        spec: what to do.
        study: the study that the engine keeps up to date.
        callbacks: called with what happens to trials.
        n_items: items of the data and the padding, which constraints depend on.
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
        callbacks=callbacks,
        feasibility=Feasibility(constraints=spec.constraints, config=spec.config, n_items=n_items),
    )


def _enqueue(plan: Plan, engine: Engine) -> None:
    """The default configuration is trial 0; then come the recipe, and what a person wants tried.

    The default is a finalist, trained to its end there. Where there are none, its trial is; a comparison of models
    needs neither.
    """
    spec = plan.spec
    flat = spec.config.flat()
    marks = {DEFAULT: True} if spec.finalists else {DEFAULT: True, NEVER_STOPPED: True}
    engine.enqueue({name: flat[name] for name in spec.space.options}, **marks)
    recipe = spec.recipe_trial
    # The recipe takes no trial from what a person wants tried, and adds none to a study that has all of its own.
    known = [trial for trial in trials_of(engine.study) if SKIPPED not in trial.user_attrs]
    has_room = len(known) + len(plan.queue) < spec.trials
    if recipe is not None and recipe.options is not None and has_room:
        engine.enqueue(recipe.options, **{ORIGIN: RECIPE})
    for queued in plan.queue:
        engine.enqueue(queued.options, **{ORIGIN: queued.origin})


@dataclass(slots=True, kw_only=True)
class StudyRun:
    """Hands out the jobs of a study, takes their reports, and ends with the verdict; see `begin_study`.

    Attributes:
        spec: what to do.
        study: Optuna's.
        engine: which trial is trained next.
        recorder: records it all.
        training: how jobs are trained.
        test: test targets of the finalists.
        refit: what the runs that ship are trained on again, beside train.
        incumbent: the model that they have to beat; None: none was named.
        fingerprint: that of the data.
        deadline: when the search ends, on the clock of `time.monotonic`; None: no limit.
        resources: closed when the study is over.
        result: what the study came to; None before it is over.
    """

    spec: StudySpec
    study: optuna.Study
    engine: Engine
    recorder: Recorder
    training: Training
    test: Examples
    refit: Refit
    incumbent: Incumbent | None
    fingerprint: str
    deadline: float | None
    resources: ExitStack
    result: StudyResult | None = None
    _phase: Phase = field(init=False, default="search")
    _reason: str = field(init=False, default="")
    _finalists: FinalistQueue | None = field(init=False, default=None)
    _trial_values: dict[int, float] = field(init=False, default_factory=dict)
    _finals: Finals | None = field(init=False, default=None)
    _shipment: Shipment | None = field(init=False, default=None)

    # What workers ask for, and report

    def next_job(self) -> Job | Idle:
        """What to do next: the trials' jobs; when the search is over the finalists', and when these are, what ships."""
        job: Job | Idle = Idle.DONE
        if self._phase == "search" and (job := self.engine.next_job()) is Idle.DONE:
            self._end_search()
        if self._finalists is not None and (job := self._finalists.next_job()) is Idle.DONE:
            self._judge(self._finalists)
        if self._shipment is not None and (job := self._shipment.next_job()) is Idle.DONE:
            self._ship(self._shipment)
        return job

    def report(self, job: Job, report: Report) -> Decision:
        """Take a report of a job; whether the job goes on."""
        if isinstance(report, JobFailure):
            self._fail(job, report)
            return Decision.STOP
        if isinstance(report, EpochProgress) and isinstance(job, TrialJob | FinalistJob):
            self.recorder.on_progress(job, report)
            return Decision.CONTINUE
        if isinstance(job, TrialJob) and isinstance(report, EpochResult):
            return self.engine.report(job.number, report)
        if isinstance(job, TrialJob) and isinstance(report, Costs):
            return self.engine.measured(job.number, report)
        if isinstance(report, FinalistRun) and self._finalists is not None:
            self._finalists.trained(report)
            return Decision.STOP
        if isinstance(report, RefitRun) and self._shipment is not None:
            self._shipment.refitted()
            return Decision.STOP
        if isinstance(job, ShippingJob) and isinstance(report, ShippingResult) and self._shipment is not None:
            self._shipment.made(job, report)
            return Decision.STOP
        return Decision.CONTINUE

    def _fail(self, job: Job, failure: JobFailure) -> None:
        if isinstance(job, TrialJob):
            self.engine.failed(job.number, failure)
        elif isinstance(job, RefitJob | ShippingJob):
            if self._shipment is not None:
                self._shipment.failed(job, failure)
        elif self._finalists is not None:
            self._finalists.failed(job, failure)

    # How it ends

    @property
    def may_end(self) -> bool:
        """Whether no job in flight is worth waiting for: it is over, or its search is to end now."""
        ends_now = self.engine.reason is not None and self.engine.is_training
        return self._phase == "over" or (self._phase == "search" and ends_now)

    def check_deadline(self) -> None:
        """End the search if its time is over."""
        if self._phase == "search" and self.deadline is not None and time.monotonic() >= self.deadline:
            self.engine.stop(TIME_BUDGET)

    def settle(self, *, is_interrupted: bool) -> None:
        """Take the end of a run of Ray Tune.

        Args:
            is_interrupted: whether a person ended it: the study goes no further, and can be resumed.
        """
        if self._phase == "over":
            return
        if is_interrupted:
            self.engine.stop(INTERRUPTED)
        if self._phase == "search":
            self._end_search()
        if is_interrupted and self._phase in ("finalists", "shipping"):
            self._finish(INTERRUPTED)

    def abandon(self, error: BaseException) -> None:
        """Leave it as one that can go on, because of an error; one that is over stays as it is."""
        if self._phase != "over":
            self.engine.stop(
                FAILED
            )  # else a trial that waits for a promotion would be pruned, as in a search that is done
            with suppress(*DATABASE_ERRORS):  # it may be what ended the search; --resume takes up what is RUNNING there
                self.engine.close()
            with suppress(*DATABASE_ERRORS):
                self.recorder.end(*_status_of(error), None, None)
            self._phase = "over"
            self.resources.close()

    def _end_search(self) -> None:
        self._reason = self.engine.close()
        self.recorder.on_search_end()
        finalists = [] if self._reason == INTERRUPTED else self._choose_finalists()
        if not finalists:
            self._finish(self._reason)
            return
        self._phase = "finalists"
        self.training.finalist_checkpoints.prepare()
        seeds = finalist_seeds(self.spec.seed, self.spec.finalist_seeds)
        runs_at_most = len(finalists) * len(seeds)
        if self.spec.finalist_runs is not None:
            runs_at_most = min(runs_at_most, self.spec.finalist_runs)
        self.recorder.on_finalists_start(runs_at_most)
        self._finalists = FinalistQueue(
            finalists=finalists,
            seeds=seeds,
            runs_at_most=runs_at_most,
            objective=self.spec.config.evaluation.objective,
            trials=self._trial_values,
            results=FinalistRuns(self.spec.folder / FINALISTS, self.spec.config, self.fingerprint),
            on_done=self.recorder.on_finalist_end,
            is_time_over=_alarm(self.spec.finalist_time),
        )

    def _choose_finalists(self) -> list[Finalist]:
        known, spec = trials_of(self.study), self.spec
        default, trials = default_trial(known), [summarize_trial(trial) for trial in known]
        self._trial_values = values_that_count(trials, spec.finalists)
        chosen = choose_finalists(
            trials, default=default.number if default else None, k=spec.finalists, with_default=spec.default_is_finalist
        )
        return [replace(one, epochs=finalist_epochs(one.options, spec.config, spec.finalist_epochs)) for one in chosen]

    def _judge(self, trained: FinalistQueue) -> None:
        """Decide which of the finalists is the best, and how sure that is."""
        spec = self.spec
        self._finalists = None
        depends_on_seed = not MODELS[spec.config.model.model].learned_at_once
        judged = judge_finalists(
            trained.runs,
            trained.failures,
            test=self.test,
            objective=spec.objective,
            seed=spec.seed,
            depends_on_seed=depends_on_seed,
            trials=self._trial_values,
        )
        if judged is None:
            self._finish(self._reason)
            return
        self._finals = replace(judged, allocations=trained.allocations, why_enough=trained.why_enough)
        if self.incumbent is not None:
            self._finals = with_incumbent(
                self._finals, self.incumbent, trained.runs, self.test, spec.objective, depends_on_seed=depends_on_seed
            )
        self._phase = "shipping"
        runs = runs_of(self._finals.recommended, trained.runs, spec.config)
        results = ShippingResults(
            spec.folder / FINALISTS, spec.config, self.fingerprint, self.training.finalist_checkpoints
        )
        costs = trials_of(self.study)[self._finals.recommended].user_attrs.get(COSTS, {})
        refit: Refit = "none" if self._finals.kept else self.refit  # what does not ship need not learn more
        self._shipment = Shipment(
            runs,
            spec.ship == "bag",
            refit,
            spec.config.model.model,
            results,
            constraints=spec.constraints,
            n_parameters=costs.get("n_parameters", 0.0),
        )
        self._shipment.take_up()
        if refit != "none" and (n_refits := self._shipment.n_refits):
            self.recorder.on_refit_start(n_refits, refit)
        if self._shipment.makes_bag and self._shipment.shipping is None:
            self.recorder.on_bag_start(len(runs))

    def _ship(self, made: Shipment) -> None:
        """End with the verdict and the model that it says to ship."""
        assert self._finals is not None
        self._finish(self._reason, replace(self._finals, shipping=made.shipping), made.checkpoint)

    def _finish(self, reason: str, finals: Finals | None = None, shipped: str | None = None) -> None:
        """Record the end.

        Args:
            reason: why.
            finals: the verdict on the finalists; None: there is none.
            shipped: name of the finalist's checkpoint to ship; None: the best trial's is shipped.
        """
        checkpoints = self.training.checkpoints if shipped is None else self.training.finalist_checkpoints
        name = shipped or self._best()
        model = None if name is None else checkpoints.fetch(name, self.spec.folder)
        if self.incumbent is not None and finals is not None and finals.kept is not None:
            model = self.incumbent.checkpoint
        summary = self.recorder.end("KILLED" if reason == INTERRUPTED else "FINISHED", reason, finals, model)
        self.result = StudyResult(summary=summary, reason=reason)
        if removed := keep_database(self.study):
            logger.warning("%s was removed during the search, and is written again", removed)
        self._phase, self._finalists, self._shipment = "over", None, None
        self.resources.close()

    def _best(self) -> str | None:
        """Name of the checkpoint of the best trial."""
        best = winner(trials_of(self.study))
        return None if best is None else trial_checkpoint(best.number)


def _alarm(seconds: float | None) -> Callable[[], bool]:
    """Says whether so much time has gone by since now; None: it never has."""
    if seconds is None:
        return lambda: False
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def _status_of(error: BaseException) -> tuple[EndStatus, str]:
    """How an error ends a study, and the reason to give."""
    return "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED", f"{type(error).__name__}: {error}"
