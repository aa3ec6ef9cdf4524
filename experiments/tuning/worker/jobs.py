"""Jobs: what a worker is to do, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from experiments.tuning.worker.checkpoints import CheckpointStore
from narm.config import Config
from narm.data.sessions import Held, Refit


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialJob:
    """A stretch of a trial's training: from its latest checkpoint until it ends or is paused.

    Attributes:
        number: number of the trial in its study.
        seed: seed of the training run.
        options: config options that the trial's parameters set.
        epochs: epochs that the study knows of already; the trial's checkpoint may have more.
        parent: trial whose checkpoint the first job starts from; None: from scratch.
        measure: whether to report first what the model costs, which may be more than the search allows.
    """

    number: int
    seed: int
    options: dict[str, Any]
    epochs: int
    parent: int | None
    measure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalist:
    """A configuration to train again.

    Attributes:
        number: number of its trial in the study.
        options: values of the options that the space varies.
        is_default: whether it is the default configuration.
        epochs: it may train at most; None: as many as a trial of the study.
        may_ship: whether it keeps the constraints of the search; else it is there to be compared with.
    """

    number: int
    options: Mapping[str, Any]
    is_default: bool = False
    epochs: int | None = None
    may_ship: bool = True

    @property
    def label(self) -> str:
        """What to call it in a sentence."""
        return "the default configuration" if self.is_default else f"trial {self.number}"


@dataclass(frozen=True, slots=True)
class FinalistJob:
    """One training run of a finalist.

    Attributes:
        finalist: what to train.
        seed: seed of the training run.
        attempt: 1, or more after failures.
    """

    finalist: Finalist
    seed: int
    attempt: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RefitJob:
    """The last training of a run that ships, on what was held out too.

    Attributes:
        finalist: the configuration to ship.
        seed: seed of the run.
        epochs: how many: those that its early stopping found best.
        refit: what it learns from beside train.
        attempt: 1, or more after failures.
    """

    finalist: Finalist
    seed: int
    epochs: int
    refit: Held
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class ShippingJob:
    """What there is to ship of a finalist, made of its runs and measured; nothing is trained.

    Attributes:
        finalist: the configuration to ship.
        best: seed of its run that was best on validation.
        bag: seeds of the runs that are made one model; none: there is to be no bag.
        refit: what those that ship were trained on again, beside train; none: they ship as they are.
        best_epochs: the epoch whose weights each of these runs has, by seed.
        attempt: 1, or more after failures.
    """

    finalist: Finalist
    best: int
    bag: tuple[int, ...] = ()
    refit: Refit = "none"
    best_epochs: Mapping[int, int] = field(default_factory=dict)
    attempt: int = 1

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the runs that ship: all of the bag, or the best."""
        return self.bag or (self.best,)


Job = TrialJob | FinalistJob | RefitJob | ShippingJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How the jobs of a study are trained.

    Attributes:
        config: options of the study; a job changes some of them, and the seed.
        threads: for torch and the kernels.
        device: auto, cpu or cuda.
        checkpoints: those of the trials.
        finalist_checkpoints: those of the finalists.
    """

    config: Config
    threads: int
    device: str
    checkpoints: CheckpointStore
    finalist_checkpoints: CheckpointStore
