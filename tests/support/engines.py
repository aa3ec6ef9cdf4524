"""An engine on a small study, with what its tests report to it."""

from __future__ import annotations

from typing import Any

import optuna
from optuna.trial import FrozenTrial

from experiments.tuning.engine.callbacks import Pause
from experiments.tuning.engine.engine import Engine
from experiments.tuning.optimizer.samplers import SAMPLERS
from experiments.tuning.optimizer.scheduler import Settings
from experiments.tuning.optimizer.schedulers import SCHEDULERS
from experiments.tuning.study.limits import Limits
from experiments.tuning.study.objectives import parse_objectives
from experiments.tuning.study.storage import StoredTrial
from experiments.tuning.worker.jobs import TrialJob
from narm.config import Config
from narm.training_state import EpochResult
from search_spaces.space import load_space

EPOCHS = 9
CONFIG = Config.from_flat({"seed": 7, "epochs": EPOCHS})


class Diary:
    """Callbacks that remember."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []

    def on_trial_start(self, job: TrialJob, origin: str) -> None:
        self.events.append(("start", job.number, origin))

    def on_epoch(self, number: int, result: EpochResult) -> None:
        self.events.append(("epoch", number, result.epoch))

    def on_trial_pause(self, number: int, why: Pause, reason: str) -> None:
        self.events.append(("pause", number, why))

    def before_trial_end(self, trial: StoredTrial) -> None:
        trial.set_attribute("note", f"the last word on trial {trial.number}")

    def on_trial_end(self, trial: FrozenTrial) -> None:
        self.events.append(("end", trial.number, trial.state.name))


def make_engine(study: optuna.Study, **changes: Any) -> Engine:
    named = changes.pop("space", "recbole")
    space = load_space(named) if isinstance(named, str) else named
    settings = Settings(epochs=EPOCHS, trials=30, mutable=space.distributions)
    return Engine(
        **{
            "study": study,
            "space": space,
            "config": CONFIG,
            "objectives": parse_objectives("MRR@10"),
            "sampler": SAMPLERS["random"],
            "scheduler": SCHEDULERS[changes.pop("scheduler", "none")].make(settings),
            "n_trials": 4,
            "limits": Limits(),
            "callbacks": Diary(),
            **changes,
        }
    )


def report(epoch: int, value: float, *, final: bool = False, stopped_early: bool = False) -> EpochResult:
    return EpochResult(
        epoch=epoch,
        valid={"mrr_at_10": value},
        best={"mrr_at_10": value},
        best_epoch=epoch,
        train_loss=1.0,
        seconds=0.5,
        total_seconds=0.5 * epoch,
        targets_per_second=10.0,
        n_parameters=100,
        stopped_early=stopped_early,
        is_last=final,
    )


def begin(engine: Engine) -> TrialJob:
    job = engine.next_job()
    assert isinstance(job, TrialJob)
    return job
