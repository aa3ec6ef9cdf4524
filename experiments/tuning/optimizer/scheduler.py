"""What a scheduler is: a rule that says which trials train on, from their learning curves alone.

A scheduler remembers nothing. Every decision follows from the curves, which the study database holds: after a crash
nothing has to be rebuilt, and a search can be replayed from a table of curves without training anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

REDUCTION = 4
"""The default: one of so many trials trains on at each rung; what `benchmarks.search` found best."""

CurveState = Literal["running", "paused", "complete", "stopped"]


class Decision(Enum):
    """What a trial does after an epoch."""

    CONTINUE = "continue"
    PAUSE = "pause"
    """A paused trial may train on later, from its checkpoint."""
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A trial as a scheduler sees it.

    Attributes:
        number: number of the trial in its study.
        state: running; paused by a scheduler; complete, at its own end; stopped for good by a scheduler.
        values: the best objective so far, by epoch; larger is better, epochs ascend.
        params: its parameters, as Optuna has them.
        never_stopped: whether it is never paused or stopped, since finalists are compared with it.
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
        """The value after an epoch; None where the trial has not reached it.

        A trial that ended by itself keeps its value: more epochs would not have improved it.
        """
        if epoch > self.epoch and self.state != "complete":
            return None
        return next((value for at, value in reversed(self.values.items()) if at <= epoch), None)


@dataclass(frozen=True, slots=True)
class Promotion:
    """A paused trial that trains on.

    Attributes:
        number: number of the trial.
    """

    number: int


@dataclass(frozen=True, slots=True)
class Offspring:
    """A new trial that starts from the latest checkpoint of another, and replaces a third.

    Attributes:
        parent: number of the trial whose checkpoint it starts from.
        params: its parameters.
        instead_of: number of the paused trial that it replaces.
    """

    parent: int
    params: Mapping[str, Any]
    instead_of: int


class Scheduler(Protocol):
    """Decides after every epoch whether a trial trains on, and which paused trial does when a worker is free."""

    def on_result(self, trial: Curve, curves: Sequence[Curve]) -> Decision:
        """What a trial does that has just reported an epoch and could train on.

        Args:
            trial: the trial that reported.
            curves: the curves of all trials of the study, including this one.
        """

    def next(self, curves: Sequence[Curve], *, more: bool) -> Promotion | Offspring | None:
        """What a free worker should train before it begins a new configuration; None: nothing.

        Args:
            curves: the curves of all trials of the study that have begun.
            more: whether the search may begin new configurations.
        """

    def most_epochs(self, trials: int, epochs: int) -> int:
        """Upper bound on the epochs that all trials train together, for the progress display.

        Args:
            trials: number of trials.
            epochs: epochs of a trial at most.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What schedulers are made from.

    Attributes:
        epochs: epochs of a trial at most.
        trials: trials of the study.
        grace_epochs: epochs that every trial trains at least; None: the default of the scheduler.
        reduction: one of so many trials trains on at each rung.
        seed: seed of what the scheduler draws.
        mutable: distributions of the parameters that may change while a model trains.
    """

    epochs: int
    trials: int
    grace_epochs: int | None = None
    reduction: int = REDUCTION
    seed: int = 0
    mutable: Mapping[str, BaseDistribution]
