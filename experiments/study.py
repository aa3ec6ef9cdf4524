"""Runs a study: Optuna proposes, Ray Tune trains in parallel, MLflow records.

The study database is the truth; Ray's own state lives in a temporary folder and dies with the search.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import optuna
from optuna.exceptions import DuplicatedStudyError
from optuna.storages import RDBStorage
from ray import tune
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from experiments.distinct import DistinctSampler
from experiments.environment import mask_credentials
from experiments.interruption import INTERRUPTED, Interruption
from experiments.progress import Progress
from experiments.ray_session import ray_session
from experiments.recorder import Recorder
from experiments.results import default_trial, winner
from experiments.samplers import SAMPLERS
from experiments.schedulers import SCHEDULERS
from experiments.searcher import Failures, OptunaSearcher, enqueue_default
from experiments.spec import StudySpec
from experiments.summary import FinalMetrics, Summary
from experiments.tracking import Tracker
from experiments.trainable import checkpoint_path, train_trial
from narm.checkpoint import load_model
from narm.data.sessions import Splits
from narm.errors import InputError
from narm.evaluation import evaluate
from narm.kernels.compile import compile_all
from narm.threads import set_threads, usable_cores

ALL_TRIALS = "all trials done"
EXHAUSTED = "every configuration of the space was tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResult:
    """What a study came to.

    Attributes:
        summary: also in `summary.json`.
        reason: why it ended: one of the constants here and in `experiments.interruption`.
        mlflow: where to look at its runs.
    """

    summary: Summary
    reason: str
    mlflow: str


def run_study(spec: StudySpec, splits: Splits, *, quiet: bool = False, console: Console | None = None) -> StudyResult:
    """Run a study to its end, whatever ends it; no trial is left RUNNING in Optuna or MLflow.

    The test split is read once, at the end, for the winner and the default configuration; not after Ctrl-C.

    Args:
        spec: what to do.
        splits: the data.
        quiet: no progress display.
        console: of the display; stderr by default.
    Raises:
        InputError: a study of that name exists, or its folder or storage cannot be written.
    """
    interruption = Interruption(None if spec.time_budget is None else time.monotonic() + spec.time_budget)
    tracker = Tracker(
        spec.tracking_uri,
        experiment=splits.name,
        artifact_dir=spec.output / "artifacts",
        outbox=spec.folder / "outbox.jsonl",
    )
    study = open_study(spec)
    progress = Progress(
        spec.trials_possible, spec.objective, time_budget=spec.time_budget, quiet=quiet, console=console
    )
    recorder = Recorder(spec, splits, study, tracker, progress)
    recorder.begin()
    compile_all()
    try:
        with progress:
            _search(spec, splits, OptunaSearcher(study, spec.space, spec.config, recorder), interruption)
        reason = interruption.reason or (ALL_TRIALS if spec.trials_possible == spec.trials else EXHAUSTED)
        test = None if reason == INTERRUPTED else _test_finalists(spec, splits, study)
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        recorder.end("KILLED" if interrupted else "FAILED", f"{type(error).__name__}: {error}", test=None)
        raise
    summary = recorder.end("KILLED" if reason == INTERRUPTED else "FINISHED", reason, test)
    return StudyResult(summary=summary, reason=reason, mlflow=tracker.where())


def open_study(spec: StudySpec) -> optuna.Study:
    """Create the study and its folder, with the default configuration as the first trial.

    Raises:
        InputError: it exists already, or cannot be written.
    """
    # What is below warnings is told by the searcher; samplers warn of conditional spaces, which are meant.
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if spec.folder.exists():
        raise InputError(f"study: {spec.folder} exists already: choose another name, or remove it")
    try:
        spec.output.mkdir(parents=True, exist_ok=True)
        study = _create(spec)
        spec.checkpoints.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"output: {spec.output} cannot be written: {error.strerror}") from None
    enqueue_default(study, spec.space, spec.config)
    return study


def _create(spec: StudySpec) -> optuna.Study:
    sampler = DistinctSampler(SAMPLERS[spec.sampler](spec.space, spec.seed), spec.space, spec.seed)
    shown = mask_credentials(spec.storage)
    try:
        return optuna.create_study(
            study_name=spec.name, storage=RDBStorage(spec.storage), sampler=sampler, direction="maximize"
        )
    except DuplicatedStudyError:
        raise InputError(f"study: '{spec.name}' exists already in {shown}: choose another name") from None
    except (SQLAlchemyError, ImportError) as error:
        reason = mask_credentials(str(error).splitlines()[0])
        raise InputError(f"storage: {shown} cannot be opened ({reason}): write sqlite:///FILE") from None


def _search(spec: StudySpec, splits: Splits, searcher: OptunaSearcher, interruption: Interruption) -> None:
    try:
        with ray_session(spec.concurrency, splits) as folder, interruption.on_signals():
            _tuner(spec, splits, searcher, interruption, str(folder)).fit()
    finally:
        searcher.settle(f"stopped: {interruption.reason or 'the search failed'}")


def _tuner(
    spec: StudySpec, splits: Splits, searcher: OptunaSearcher, interruption: Interruption, folder: str
) -> tune.Tuner:
    trainable = tune.with_parameters(
        train_trial,
        splits=splits,
        config=spec.config,
        threads=spec.threads,
        device=spec.device,
        checkpoints=spec.checkpoints.resolve(),
    )
    return tune.Tuner(
        tune.with_resources(trainable, spec.resources),
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            scheduler=SCHEDULERS[spec.scheduler](spec.config.training.epochs),
            num_samples=spec.trials_possible,
            max_concurrent_trials=spec.concurrency,
            reuse_actors=True,
            trial_dirname_creator=lambda trial: trial.trial_id,
        ),
        run_config=tune.RunConfig(
            name="tune", storage_path=folder, stop=interruption, callbacks=[Failures(searcher)], verbose=0
        ),
    )


def _test_finalists(spec: StudySpec, splits: Splits, study: optuna.Study) -> FinalMetrics | None:
    """Test metrics of the winner and of the default configuration."""
    best, default = winner(study), default_trial(study)
    if best is None:
        return None
    set_threads(usable_cores())
    tested = {
        trial.number: evaluate(
            load_model(checkpoint_path(spec.checkpoints, trial.number)),
            splits.test,
            spec.config.evaluation,
            max_length=splits.max_length,
        )
        for trial in (best, default)
        if trial is not None
    }
    return FinalMetrics(winner=tested[best.number], default=None if default is None else tested[default.number])
