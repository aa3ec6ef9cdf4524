"""What a study is to do, checked before anything starts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from experiments.samplers import SAMPLERS
from experiments.schedulers import SCHEDULERS
from narm.config import Config, did_you_mean
from narm.device import resolve_device
from narm.errors import InputError
from narm.threads import usable_cores
from search_spaces.space import SearchSpace


@dataclass(frozen=True, kw_only=True)
class StudySpec:
    """A study: what is searched, how, for how long, and where its results go.

    Attributes:
        name: of the study, and of its folder in `output`.
        config: the default configuration, which the space varies. Its epochs, seed and `valid_metric` are the
            study's: the epochs of a trial at most, the seed of every draw, and the objective, to be maximised.
        space: what is searched.
        sampler: key of `SAMPLERS`.
        scheduler: key of `SCHEDULERS`.
        trials: at most; fewer when the space has no more configurations.
        concurrency: trials at once.
        threads: of each trial.
        device: auto, cpu or cuda.
        time_budget: seconds of the whole study; None: no limit.
        storage: SQLAlchemy URL of the Optuna study.
        tracking_uri: of MLflow.
        output: folder of all studies.
        command: as a person typed it, for the record.
    Raises:
        InputError: one of them is wrong, or they do not fit together.
    """

    name: str
    config: Config
    space: SearchSpace
    sampler: str
    scheduler: str
    trials: int
    concurrency: int
    threads: int
    device: str
    time_budget: float | None
    storage: str
    tracking_uri: str
    output: Path
    command: str

    def __post_init__(self) -> None:
        _check_known("sampler", self.sampler, SAMPLERS)
        _check_known("scheduler", self.scheduler, SCHEDULERS)
        for name in ("trials", "concurrency", "threads"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}: {getattr(self, name)} should be 1 or more")
        if not re.fullmatch(r"[\w.+-]+", self.name) or self.name.startswith("."):
            raise InputError(f"study: '{self.name}' is no name for a folder: use letters, digits, '-', '_' and '.'")
        self._check_cores()
        self._check_validation()
        self.space.check(self.config)
        SAMPLERS[self.sampler](self.space, self.seed)  # refuses a space it cannot draw from

    def _check_cores(self) -> None:
        """More threads than cores slow each other down; on a GPU they mostly wait."""
        cores = usable_cores()
        if resolve_device(self.device).type == "cpu" and self.concurrency * self.threads > cores:
            raise InputError(
                f"concurrency: {self.concurrency} trials of {self.threads} threads are too many for {cores} cores: "
                f"let concurrency x threads be at most {cores}"
            )

    def _check_validation(self) -> None:
        eval_step, epochs = self.config.training.eval_step, self.config.training.epochs
        if not 1 <= eval_step <= epochs:
            raise InputError(f"eval_step: {eval_step} never validates in {epochs} epochs, and a search needs it to")

    @property
    def seed(self) -> int:
        """Of every draw of the study."""
        return self.config.training.seed

    @property
    def objective(self) -> str:
        """Spelled `MRR@10`."""
        return self.config.evaluation.valid_metric

    @property
    def trials_possible(self) -> int:
        """Trials that there will be: the space may have fewer configurations than are wanted."""
        if self.space.size is None:
            return self.trials
        default_outside = self.space.from_options(self.config) is None
        return min(self.trials, self.space.size + default_outside)

    @property
    def resources(self) -> dict[str, float]:
        """Ray's resources of a trial: a slot, and its share of the GPU where there is one."""
        return {"cpu": 1, "gpu": 1 / self.concurrency if resolve_device(self.device).type == "cuda" else 0}

    @property
    def folder(self) -> Path:
        """Folder of this study."""
        return self.output / self.name

    @property
    def checkpoints(self) -> Path:
        """Folder of the trials' checkpoints."""
        return self.folder / "checkpoints"


def _check_known(what: str, name: str, known: Iterable[str]) -> None:
    if name not in set(known):
        raise InputError(f"{what}: there is no '{name}'{did_you_mean(name, known)}")
