"""What a worker is to train, and how. A worker imports neither Optuna nor the engine with it: it starts sooner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from experiments.tuning.worker.checkpoints import CheckpointStore
from narm.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialJob:
    """A stretch of a trial's training: from its latest checkpoint until it ends or is held up.

    Attributes:
        number: of the trial in its study.
        seed: of its training.
        options: config options that its parameters stand for.
        epochs: that the study knows of already; the trial's checkpoint may have more.
        parent: trial whose checkpoint it starts from, in its first job; None: from nothing.
    """

    number: int
    seed: int
    options: dict[str, Any]
    epochs: int
    parent: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How whatever a study trains is trained.

    Attributes:
        config: of the study; a trial changes its options and seed.
        threads: for torch and the kernels.
        device: auto, cpu or cuda.
        checkpoints: of the study's trials.
        finalist_checkpoints: of its finalists.
    """

    config: Config
    threads: int
    device: str
    checkpoints: CheckpointStore
    finalist_checkpoints: CheckpointStore
