"""What a worker is to train. On its own, so that a worker imports neither Optuna nor the engine: it starts sooner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A stretch of a trial's training: from its latest checkpoint until it ends or is held up.

    Attributes:
        number: of the trial in its study.
        seed: of its training.
        options: config options that its parameters stand for.
        epochs: that the study knows of already; the trial's checkpoint may have more.
        parent: trial whose checkpoint it starts from, in its first leg; None: from nothing.
    """

    number: int
    seed: int
    options: dict[str, Any]
    epochs: int
    parent: int | None
