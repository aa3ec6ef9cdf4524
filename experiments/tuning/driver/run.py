"""Runs studies: Optuna proposes, Ray Tune trains in parallel, a recorder takes down what happens.

The study database is the truth; Ray's own state lives in a temporary folder and is deleted with the search.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path

from ray import tune

from experiments.tuning.driver.dispatcher import Dispatcher
from experiments.tuning.driver.gc_freeze import short_collections
from experiments.tuning.driver.ray_session import ray_session
from experiments.tuning.driver.stopping import Interruption
from experiments.tuning.driver.study_run import OpenRecorder, Plan, StudyResult, begin_study
from experiments.tuning.driver.tune_adapters import FailureCallback, StudyScheduler, StudySearcher
from experiments.tuning.study.database import DATABASE_ERRORS, explain_database_error
from experiments.tuning.study.dataset import Dataset
from experiments.tuning.study.folder import FINALISTS
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.worker.checkpoints import CheckpointStore
from experiments.tuning.worker.jobs import Training
from experiments.tuning.worker.tune_function import train
from narm.data.sessions import Splits
from narm.kernels.compile import compile_all


def run_studies(plans: Sequence[Plan], splits: Splits, open_recorder: OpenRecorder) -> list[StudyResult]:
    """Run studies to their end, whatever ends them; no trial is left RUNNING in Optuna or elsewhere.

    They share the workers of one Ray, as the first of them asks for it. The next study begins as soon as the ones
    before it leave a slot empty.

    Args:
        plans: one or more.
        splits: the data. The test split is read once, at the end of a study, for its finalists; not after Ctrl-C.
        open_recorder: opens the recorder of a study.
    Returns:
        result of each study that had begun: after Ctrl-C not all have, and the last ones are INTERRUPTED.
    Raises:
        InputError: a study exists, or is another than its spec says, or its folder or storage cannot be written.
    """
    first = plans[0].spec
    trainings = [_training(plan.spec) for plan in plans]
    dispatcher = Dispatcher(
        [
            partial(begin_study, plan, Dataset.of(splits, plan.spec.config), splits.test, training, open_recorder)
            for plan, training in zip(plans, trainings, strict=True)
        ]
    )
    interruption = Interruption(dispatcher)
    try:
        dispatcher.begin_next()  # before Ray takes its time to start: the study may be refused
        compile_all()
        with (
            ray_session(
                first.concurrency, splits, resources=first.resources, address=first.address, nice=first.nice
            ) as folder,
            interruption.on_signals(),
            short_collections(),
        ):
            trainable = tune.with_parameters(train, splits=splits, trainings=trainings)
            for number in count():
                _tuner(trainable, dispatcher, interruption, first, folder / f"tune-{number}").fit()
                if not dispatcher.settle():
                    break
    except BaseException as error:
        dispatcher.abandon(error)
        if isinstance(error, DATABASE_ERRORS):
            raise explain_database_error(error, first.storage, first.name) from None
        raise
    return [run.result for run in dispatcher.begun if run.result is not None]


def _training(spec: StudySpec) -> Training:
    return Training(
        config=spec.config,
        threads=spec.threads,
        device=spec.device,
        checkpoints=CheckpointStore(spec.checkpoints("checkpoints")),
        finalist_checkpoints=CheckpointStore(spec.checkpoints(FINALISTS)),
    )


def _tuner(
    trainable: Callable[..., None], dispatcher: Dispatcher, interruption: Interruption, spec: StudySpec, folder: Path
) -> tune.Tuner:
    return tune.Tuner(
        tune.with_resources(trainable, spec.resources),
        tune_config=tune.TuneConfig(
            search_alg=StudySearcher(dispatcher),
            scheduler=StudyScheduler(dispatcher),
            num_samples=-1,  # until the searcher says that it is done
            max_concurrent_trials=spec.concurrency,
            reuse_actors=True,
            trial_dirname_creator=lambda trial: trial.trial_id,
        ),
        run_config=tune.RunConfig(
            name=folder.name,
            storage_path=str(folder.parent),
            stop=interruption,
            callbacks=[FailureCallback(dispatcher)],
            verbose=0,
        ),
    )
