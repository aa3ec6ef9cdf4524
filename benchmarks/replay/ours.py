"""The engine of `experiments`, as `experiments.search` drives it, on the simulated world instead of Ray."""

from __future__ import annotations

from collections.abc import Callable

import optuna
from optuna.trial import FrozenTrial

from benchmarks.replay.world import Job, Report, World
from experiments.tuning.engine import engine as real
from experiments.tuning.engine.callbacks import Pause
from experiments.tuning.optimizer.samplers import Sampler
from experiments.tuning.optimizer.scheduler import Decision, Scheduler, Settings
from experiments.tuning.study import trial_attributes
from experiments.tuning.study.limits import Limits
from experiments.tuning.study.objectives import parse_objectives
from experiments.tuning.study.storage import StoredTrial
from experiments.tuning.worker.jobs import TrialJob
from narm.config import Config
from narm.training_state import EpochResult


class Ours:
    """A search of ours; its first trial is the default configuration, which the finalists are compared with.

    Args:
        world: what is searched.
        seed: of the study.
        trials: of the study at most.
        sampler: from `SAMPLERS`.
        scheduler: from `SCHEDULERS`.
        shape: of its rungs, `reduction` and `grace_epochs`, where they are not the default.
    """

    def __init__(
        self,
        world: World,
        seed: int,
        trials: int,
        *,
        sampler: Sampler,
        scheduler: Callable[[Settings], Scheduler],
        **shape: int,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space = world.space
        self._config = Config.from_flat({"dataset": "ml-100k", "epochs": world.max_epochs, "seed": seed})
        settings = Settings(epochs=world.max_epochs, trials=trials, seed=seed, mutable={}, **shape)
        self._engine = real.Engine(
            study=optuna.create_study(direction="maximize"),
            space=world.space,
            config=self._config,
            objectives=parse_objectives("MRR@10"),
            sampler=sampler,
            scheduler=scheduler(settings),
            n_trials=trials,
            limits=Limits(),
            callbacks=_NoCallbacks(),
        )
        self._engine.enqueue({}, **{trial_attributes.DEFAULT: True})

    def next(self) -> Job | None:
        """The engine's next job."""
        job = self._engine.next_job()
        if isinstance(job, real.Idle):
            return None
        params = self._space.from_options(self._config.replace(job.options))
        assert params is not None  # the default configuration is a point of the space too
        return Job(trial=job.number, params=params)

    def reported(self, trial: int, report: Report) -> bool:
        """The engine's decision."""
        return self._engine.report(trial, _epoch_result(report)) is Decision.CONTINUE


def _epoch_result(report: Report) -> EpochResult:
    """An epoch as a worker reports it; a table of curves knows no more than the objective."""
    return EpochResult(
        epoch=report.epoch,
        valid=None,
        best={"mrr_at_10": report.value},
        best_epoch=report.epoch,
        train_loss=0.0,
        seconds=1.0,
        total_seconds=float(report.epoch),
        targets_per_second=0.0,
        n_parameters=0,
        stopped_early=report.stopped_early,
        is_last=report.final,
    )


class _NoCallbacks:
    """Does nothing."""

    def on_trial_start(self, job: TrialJob, origin: str) -> None: ...
    def on_epoch(self, number: int, result: EpochResult) -> None: ...
    def on_trial_pause(self, number: int, why: Pause, reason: str) -> None: ...
    def before_trial_end(self, trial: StoredTrial) -> None: ...
    def on_trial_end(self, trial: FrozenTrial) -> None: ...
