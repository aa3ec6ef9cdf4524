"""What a scheduler is: a rule that says which trials train on, from their learning curves alone.

A scheduler remembers nothing. Every decision follows from the curves, and these stand in the study database: after a
crash nothing has to be rebuilt, and a search can be replayed from a table of curves without training anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

REDUCTION = 4
"""One of so many trials goes on at each rung, when nothing is said: what `benchmarks.search` found best."""

CurveState = Literal["running", "paused", "complete", "stopped"]


class Decision(Enum):
    """What becomes of a trial after an epoch."""

    CONTINUE = "continue"
    PAUSE = "pause"
    """It may go on later, from its checkpoint."""
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A trial as a scheduler sees it.

    Attributes:
        number: of the trial in its study.
        state: running; paused, on a scheduler's word; complete, at its own end; stopped for good by a scheduler.
        values: the best objective so far by epoch, larger is better; epochs ascend.
        params: its parameters, as Optuna has them.
        never_stopped: whether it is never held up, since it is there to be compared with.
    """

    number: int
    state: CurveState
    values: dict[int, float]
    params: Mapping[str, Any]
    never_stopped: bool = False

    @property
    def epoch(self) -> int:
        """The last epoch, 0 before the first."""
        return next(reversed(self.values), 0)

    def at(self, epoch: int) -> float | None:
        """The value after that epoch; None where the trial has not come so far.

        A trial that ended by itself keeps its value: more epochs would have brought it nothing.
        """
        if epoch > self.epoch and self.state != "complete":
            return None
        return next((value for at, value in reversed(self.values.items()) if at <= epoch), None)


@dataclass(frozen=True, slots=True)
class Promotion:
    """A paused trial that goes on."""

    number: int


@dataclass(frozen=True, slots=True)
class Offspring:
    """A new trial that starts from the latest checkpoint of another, in the place of a third."""

    parent: int
    params: Mapping[str, Any]
    instead_of: int


class Scheduler(Protocol):
    """Says after every epoch whether a trial goes on, and which goes on when a slot is free."""

    def on_result(self, trial: Curve, curves: Sequence[Curve]) -> Decision:
        """What becomes of a trial that has just reported an epoch and could train on.

        Args:
            trial: whose last epoch is new.
            curves: of all trials of the study, this one among them.
        """

    def next(self, curves: Sequence[Curve], *, more: bool) -> Promotion | Offspring | None:
        """What a free slot should do before a new configuration is begun; None: nothing.

        Args:
            curves: of all trials of the study that have begun.
            more: whether there are configurations to begin.
        """

    def most_epochs(self, trials: int, epochs: int) -> int:
        """Epochs that so many trials train together if none ends early: what there is to do, for who waits.

        Args:
            trials: of the study.
            epochs: of a trial at most.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What schedulers are made from.

    Attributes:
        epochs: of a trial at most.
        trials: of the study.
        grace_epochs: that every trial is given; None: as the scheduler sees fit.
        reduction: one of so many trials goes on at each rung.
        seed: of draws.
        mutable: distributions of the parameters that may change while a model trains.
    """

    epochs: int
    trials: int
    grace_epochs: int | None = None
    reduction: int = REDUCTION
    seed: int = 0
    mutable: Mapping[str, BaseDistribution]
