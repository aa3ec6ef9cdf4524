"""The engine of `experiments`, as `experiments.search` drives it, on the simulated world instead of Ray."""

from __future__ import annotations

from collections.abc import Callable

import optuna
from optuna.trial import FrozenTrial

from benchmarks.replay.world import Job, Report, World
from experiments.tuning.engine import engine as real
from experiments.tuning.optimizer.samplers import Sampler
from experiments.tuning.optimizer.scheduler import Decision, Scheduler, Settings
from experiments.tuning.study import trial_attributes
from experiments.tuning.study.limits import Limits
from experiments.tuning.study.objectives import parse_objectives
from experiments.tuning.worker.jobs import TrialJob
from experiments.tuning.worker.reports import EpochReport
from narm.config import Config


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
            listener=_Nobody(),
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
        """The engine's verdict."""
        return self._engine.report(trial, _epoch_report(report)) is Decision.CONTINUE


def _epoch_report(report: Report) -> EpochReport:
    """What the engine is told of an epoch; a table of curves knows no more than the objective."""
    return EpochReport(
        epoch=report.epoch,
        value=report.value,
        valid=None,
        best={},
        best_epoch=report.epoch,
        train_loss=0.0,
        seconds=1.0,
        total_seconds=float(report.epoch),
        targets_per_second=0.0,
        n_parameters=0,
        stopped_early=report.stopped_early,
        final=report.final,
    )


class _Nobody:
    """Listens to nothing."""

    def started(self, job: TrialJob, origin: str) -> None: ...
    def reported(self, number: int, report: EpochReport) -> None: ...
    def held_up(self, number: int, why: real.Delay, reason: str) -> None: ...
    def finished(self, trial: FrozenTrial) -> None: ...
    def run_id(self, number: int) -> None: ...
