"""What a study is to do, checked before anything starts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiments.tuning.optimizer.samplers import SAMPLERS
from experiments.tuning.optimizer.scheduler import Scheduler, Settings
from experiments.tuning.optimizer.schedulers import SCHEDULERS
from experiments.tuning.study.limits import Limits
from experiments.tuning.study.objectives import Objective
from experiments.tuning.worker.addresses import absolute_tracking_uri, address_below
from narm.config import Config
from narm.errors import InputError
from narm.machine.device import resolve_device
from narm.machine.threads import usable_cores
from narm.model import SHAPE_OPTIONS
from narm.model_options import check_used, searchable_options
from narm.text.suggestion import did_you_mean
from narm.text.text_file import located
from search_spaces.space import SearchSpace


@dataclass(frozen=True, kw_only=True)
class StudySpec:
    """A study: what is searched, how, for how long, and where its results go.

    Attributes:
        name: of the study, and of its folder in `output`.
        config: the default configuration, which the space varies. Its epochs and seed are the study's: the epochs of
            a trial at most, the seed of every draw.
        space: what is searched.
        objectives: the first is the config's `valid_metric`; others are costs.
        sampler: key of `SAMPLERS`.
        scheduler: key of `SCHEDULERS`.
        grace_epochs: that the scheduler gives every trial; None: as it sees fit.
        reduction: one of so many trials goes on at each rung of the scheduler.
        trials: in the end, at most; fewer when the space has no more configurations.
        limits: what ends the search before.
        time_budget: seconds of this session; None: no limit.
        concurrency: trials at once.
        threads: of each trial.
        device: auto, cpu or cuda.
        gpus_per_trial: share of a GPU; 0 on a CPU.
        finalists: how many of the best are trained again over seeds; 0: none.
        finalist_seeds: how often each.
        default_is_finalist: whether the default configuration is always one of them, to compare the winner with.
        address: of a running Ray cluster; None: a Ray of one's own.
        checkpoint_storage: where checkpoints go, for all nodes to reach; None: the study's folder.
        storage: SQLAlchemy URL of the Optuna study.
        tracking_uri: of MLflow.
        output: folder of all studies.
        system_metrics: whether MLflow gets CPU and memory of driver and workers.
        command: as a person typed it, for the record.
    Raises:
        InputError: one of them is wrong, or they do not fit together.
    """

    name: str
    config: Config
    space: SearchSpace
    objectives: tuple[Objective, ...]
    sampler: str
    scheduler: str
    grace_epochs: int | None
    reduction: int
    trials: int
    limits: Limits
    time_budget: float | None
    concurrency: int
    threads: int
    device: str
    gpus_per_trial: float
    finalists: int
    finalist_seeds: int
    address: str | None
    checkpoint_storage: str | None
    storage: str
    tracking_uri: str
    output: Path
    command: str
    system_metrics: bool = False
    default_is_finalist: bool = True

    def __post_init__(self) -> None:
        _check_known("sampler", self.sampler, SAMPLERS)
        _check_known("scheduler", self.scheduler, SCHEDULERS)
        self._check_numbers()
        if not re.fullmatch(r"[\w.+-]+", self.name) or self.name.startswith("."):
            raise InputError(f"study: '{self.name}' is no name for a folder: use letters, digits, '-', '_' and '.'")
        self._check_cores()
        self._check_validation()
        self._check_objectives()
        self._check_space()
        absolute_tracking_uri(self.tracking_uri)  # refuses one that MLflow cannot write to
        self.space.check(self.config)
        SAMPLERS[self.sampler].check(self.space, n_objectives=len(self.objectives))

    def _check_numbers(self) -> None:
        limits = self.limits
        least = {
            "trials": (self.trials, 1),
            "concurrency": (self.concurrency, 1),
            "threads": (self.threads, 1),
            "grace_epochs": (self.grace_epochs, 1),
            "reduction": (self.reduction, 2),
            "epoch_budget": (limits.epochs, 1),
            "plateau": (limits.plateau, 1),
            "max_retries": (limits.max_retries, 0),
            "finalists": (self.finalists, 0),
            "seeds": (self.finalist_seeds, 1),
            "gpus_per_trial": (self.gpus_per_trial, 0),
        }
        for name, (value, smallest) in least.items():
            if value is not None and value < smallest:
                raise InputError(f"{name}: {value} should be {smallest} or more")

    def _check_cores(self) -> None:
        """More threads than cores slow each other down; on a GPU they mostly wait, and a cluster counts for itself."""
        cores = usable_cores()
        if self.address or resolve_device(self.device).type != "cpu":
            return
        if self.concurrency * self.threads > cores:
            raise InputError(
                f"concurrency: {self.concurrency} trials of {self.threads} threads are too many for {cores} cores: "
                f"let concurrency x threads be at most {cores}"
            )

    def _check_validation(self) -> None:
        eval_step, epochs = self.config.training.eval_step, self.config.training.epochs
        if not 1 <= eval_step <= epochs:
            raise InputError(f"eval_step: {eval_step} never validates in {epochs} epochs, and a search needs it to")

    def _check_objectives(self) -> None:
        """Schedulers compare trials by one value."""
        if len(self.objectives) > 1 and SCHEDULERS[self.scheduler].one_objective:
            raise InputError(
                f"scheduler: {self.scheduler} ranks trials by one objective, and there are {len(self.objectives)}: "
                "use none"
            )

    def _check_space(self) -> None:
        """A space varies options that the model uses, or says that there are none."""
        model = self.config.model.model
        for parameter in self.space.parameters:
            with located(self.space.file, parameter.line):
                check_used(model, [parameter.axis.option])
        if not self.space.parameters and (known := searchable_options(model)):
            raise InputError(f"{self.space.file}: no parameter in it: model {model} has {', '.join(known)} to vary")

    @property
    def seed(self) -> int:
        """Of every draw of the study."""
        return self.config.training.seed

    @property
    def objective(self) -> str:
        """The metric, spelled `MRR@10`."""
        return self.objectives[0].name

    @property
    def trials_possible(self) -> int:
        """Trials that there will be: the space may have fewer configurations than are wanted."""
        if self.space.size is None:
            return self.trials
        default_outside = self.space.from_options(self.config) is None
        return min(self.trials, self.space.size + default_outside)

    @property
    def resources(self) -> dict[str, float]:
        """Ray's resources of a trial: the cores of its threads, and its share of a GPU.

        On a Ray of one's own a trial takes a slot, of which there are as many as trials at once.
        """
        return {"cpu": self.threads if self.address else 1, "gpu": self.gpus_per_trial}

    def build_scheduler(self) -> Scheduler:
        """The scheduler, for this study's epochs."""
        settings = Settings(
            epochs=self.config.training.epochs,
            trials=self.trials,
            grace_epochs=self.grace_epochs,
            reduction=self.reduction,
            seed=self.seed,
            mutable={p.name: p.distribution for p in self.space.parameters if p.axis.option not in SHAPE_OPTIONS},
        )
        return SCHEDULERS[self.scheduler].make(settings)

    @property
    def folder(self) -> Path:
        """Folder of this study."""
        return self.output / self.name

    def checkpoints(self, of: Literal["checkpoints", "finalists"]) -> str:
        """Folder or address of the checkpoints of trials, or of finalists."""
        if self.checkpoint_storage is None:
            return str((self.folder / of).resolve())
        return address_below(self.checkpoint_storage, f"{self.name}/{of}")


def _check_known(what: str, name: str, known: Iterable[str]) -> None:
    if name not in set(known):
        raise InputError(f"{what}: there is no '{name}'{did_you_mean(name, known)}")
