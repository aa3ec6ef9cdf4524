"""Runs a study: Optuna proposes, Ray Tune trains in parallel, MLflow records.

The study database is the truth; Ray's own state lives in a temporary folder and dies with the search.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import optuna
from ray import tune
from rich.console import Console

from experiments import outbox
from experiments.checkpoints import CheckpointStore, trial_checkpoint
from experiments.engine import Engine
from experiments.finalist_tasks import Trained, train_finalists
from experiments.finalists import best_checkpoint, choose_finalists, finalist_seeds
from experiments.garbage import short_collections
from experiments.interruption import INTERRUPTED, Interruption
from experiments.progress import Progress
from experiments.queue_sources import Queued
from experiments.ray_session import ray_session
from experiments.recorder import Recorder
from experiments.results import default_trial, summarize_trial, winner
from experiments.samplers import SAMPLERS
from experiments.searcher import EngineScheduler, EngineSearcher, Failures
from experiments.spec import StudySpec
from experiments.study_store import closing_study, create_study, resume_study
from experiments.summary import Finals, Summary
from experiments.tracking import Tracker
from experiments.trainable import train_leg
from experiments.trial_record import DEFAULT, ORIGIN, SPARED, trials_of
from experiments.verdict import judge_finalists
from narm.data.sessions import Splits
from narm.evaluation import chosen_targets
from narm.kernels.compile import compile_all


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResult:
    """What a study came to.

    Attributes:
        summary: also in `summary.json`.
        reason: why it ended: one of the constants of the engine, of `experiments.limits` or of
            `experiments.interruption`.
        mlflow: where to look at its runs.
    """

    summary: Summary
    reason: str
    mlflow: str


def run_study(
    spec: StudySpec,
    splits: Splits,
    *,
    resume: bool = False,
    queue: Sequence[Queued] = (),
    quiet: bool = False,
    console: Console | None = None,
) -> StudyResult:
    """Run a study to its end, whatever ends it; no trial is left RUNNING in Optuna or MLflow.

    The test split is read once, at the end, for the finalists; not after Ctrl-C.

    Args:
        spec: what to do.
        splits: the data.
        resume: go on with the study of that name; else it must be a new one.
        queue: configurations to try first, after the default one.
        quiet: no progress display.
        console: of the display; stderr by default.
    Raises:
        InputError: the study exists, or is another than the spec says, or its folder or storage cannot be written.
    """
    deadline = None if spec.time_budget is None else time.monotonic() + spec.time_budget
    checkpoints = CheckpointStore(spec.checkpoints("checkpoints"))
    tracker = Tracker(
        spec.tracking_uri,
        experiment=splits.name,
        artifact_dir=spec.output / "artifacts",
        outbox=spec.folder / outbox.FILE,
    )
    with closing_study((resume_study if resume else create_study)(spec, splits.fingerprint)) as study:
        progress = Progress(
            spec.trials_possible,
            spec.objective,
            most_epochs=spec.build_scheduler().most_epochs(spec.trials_possible, spec.config.training.epochs),
            time_budget=spec.time_budget,
            quiet=quiet,
            console=console,
        )
        recorder = Recorder(spec, splits, study, tracker, progress)
        recorder.begin()
        try:
            checkpoints.prepare()
            search = _Search(spec, splits, study, recorder, progress, checkpoints, deadline)
            search.enqueue(queue)
            compile_all()
            outcome = search.run()
        except BaseException as error:
            interrupted = isinstance(error, KeyboardInterrupt)
            recorder.end("KILLED" if interrupted else "FAILED", f"{type(error).__name__}: {error}")
            raise
        status: Literal["KILLED", "FINISHED"] = "KILLED" if outcome.reason == INTERRUPTED else "FINISHED"
        summary = recorder.end(status, outcome.reason, outcome.finals, outcome.model)
        return StudyResult(summary=summary, reason=outcome.reason, mlflow=tracker.where())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """Why the search ended, what became of the finalists, and the checkpoint of the model to ship."""

    reason: str
    finals: Finals | None = None
    model: Path | None = None


@dataclass
class _Search:
    """The engine, and Ray around it."""

    spec: StudySpec
    splits: Splits
    study: optuna.Study
    recorder: Recorder
    progress: Progress
    checkpoints: CheckpointStore
    deadline: float | None
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        spec = self.spec
        self.engine = Engine(
            study=self.study,
            space=spec.space,
            config=spec.config,
            objectives=spec.objectives,
            sampler=SAMPLERS[spec.sampler],
            scheduler=spec.build_scheduler(),
            n_trials=spec.trials_possible,
            limits=spec.limits,
            listener=self.recorder,
        )

    def enqueue(self, queue: Sequence[Queued]) -> None:
        """The default configuration is trial 0; what a person wants tried comes next.

        The default is a finalist, trained to its end there. Where there are none, its trial is; a comparison of models
        needs neither.
        """
        flat = self.spec.config.flat()
        marks = {DEFAULT: True} if self.spec.finalists else {DEFAULT: True, SPARED: True}
        self.engine.enqueue({name: flat[name] for name in self.spec.space.options}, **marks)
        for queued in queue:
            self.engine.enqueue(queued.options, **{ORIGIN: queued.origin})

    def run(self) -> _Outcome:
        """Train until there is nothing more to do, or something ends it; then the finalists, if nobody interrupts."""
        spec = self.spec
        interruption = Interruption(self.engine, self.deadline)
        try:
            with (
                ray_session(spec.concurrency, self.splits, resources=spec.resources, address=spec.address) as folder,
                interruption.on_signals(),
                self.progress,
                short_collections(),
            ):
                self._tuner(interruption, str(folder)).fit()
                reason = self.engine.close()
                self.recorder.searched()
                trained = None if interruption.reason == INTERRUPTED else self._train_finalists(interruption)
        finally:
            self.engine.close()
        if trained is None or trained.stopped:
            return _Outcome(reason=INTERRUPTED if interruption.reason == INTERRUPTED else reason, model=self._best())
        test = chosen_targets(self.splits.test, spec.config.evaluation)
        finals = judge_finalists(trained.runs, trained.failures, test=test, objective=spec.objective, seed=spec.seed)
        if finals is None:
            return _Outcome(reason=reason, model=self._best())
        shipped = best_checkpoint(trained.runs, finals.recommended, spec.config)
        return _Outcome(reason=reason, finals=finals, model=self._finalist_checkpoints.fetch(shipped, spec.folder))

    def _best(self) -> Path | None:
        """The checkpoint of the best trial; what is kept elsewhere is copied into the study's folder."""
        best = winner(trials_of(self.study))
        return None if best is None else self.checkpoints.fetch(trial_checkpoint(best.number), self.spec.folder)

    @cached_property
    def _finalist_checkpoints(self) -> CheckpointStore:
        return CheckpointStore(self.spec.checkpoints("finalists"))

    def _train_finalists(self, interruption: Interruption) -> Trained | None:
        spec, known = self.spec, trials_of(self.study)
        default, trials = default_trial(known), [summarize_trial(trial) for trial in known]
        finalists = choose_finalists(
            trials, default=default.number if default else None, k=spec.finalists, with_default=spec.default_is_finalist
        )
        if not finalists:
            return None
        self._finalist_checkpoints.prepare()
        seeds = finalist_seeds(spec.seed, spec.finalist_seeds)
        self.progress.finalists(len(finalists) * len(seeds))
        return train_finalists(
            finalists,
            splits=self.splits,
            config=spec.config,
            seeds=seeds,
            threads=spec.threads,
            device=spec.device,
            resources=spec.resources,
            concurrency=spec.concurrency,
            folder=spec.folder / "finalists",
            checkpoints=self._finalist_checkpoints,
            stop=lambda: interruption.reason == INTERRUPTED,
            on_done=self.recorder.finalist_done,
        )

    def _tuner(self, interruption: Interruption, folder: str) -> tune.Tuner:
        spec = self.spec
        trainable = tune.with_parameters(
            train_leg,
            splits=self.splits,
            config=spec.config,
            threads=spec.threads,
            device=spec.device,
            checkpoints=self.checkpoints,
        )
        return tune.Tuner(
            tune.with_resources(trainable, spec.resources),
            tune_config=tune.TuneConfig(
                search_alg=EngineSearcher(self.engine),
                scheduler=EngineScheduler(self.engine),
                num_samples=-1,  # until the searcher says that it is done
                max_concurrent_trials=spec.concurrency,
                reuse_actors=True,
                trial_dirname_creator=lambda trial: trial.trial_id,
            ),
            run_config=tune.RunConfig(
                name="tune", storage_path=folder, stop=interruption, callbacks=[Failures(self.engine)], verbose=0
            ),
        )
