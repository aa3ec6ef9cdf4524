"""Schedulers by name: which trials stop before their last epoch.

A new scheduler is a file and an entry in `SCHEDULERS`. All of them compare the best values so far, larger is better, at
the same epoch; none of them stops a trial that is `never_stopped`. The names are listed by `--help`, so what imports
Optuna, which takes a second, is imported when a scheduler is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from experiments.tuning.optimizer.halving import SuccessiveHalving, rungs
from experiments.tuning.optimizer.median import MedianStopping
from experiments.tuning.optimizer.no_stopping import NoStopping
from experiments.tuning.optimizer.scheduler import Scheduler, Settings

# What `benchmarks.search` found best on the recorded curves; see there.
GRACE_EPOCHS = 1
CROWD = 50
SURVIVORS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerEntry:
    """A scheduler by name, and what it needs.

    Attributes:
        make: makes the scheduler of a study.
        one_objective: whether it ranks trials, which takes a single objective.
    """

    make: Callable[[Settings], Scheduler]
    one_objective: bool = True


def asha(settings: Settings) -> Scheduler:
    """Asynchronous successive halving: at each rung the best quarter goes on."""
    bracket = rungs(settings.epochs, settings.grace_epochs or GRACE_EPOCHS, settings.reduction)
    return SuccessiveHalving((bracket,), settings.reduction, settings.seed, crowd=CROWD, survivors=SURVIVORS)


def hyperband(settings: Settings) -> Scheduler:
    """Hyperband, asynchronously: brackets of successive halving that begin at ever later rungs."""
    all_rungs = rungs(settings.epochs, settings.grace_epochs or GRACE_EPOCHS, settings.reduction)
    brackets = tuple(all_rungs[first:] for first in range(len(all_rungs) + 1))
    return SuccessiveHalving(brackets, settings.reduction, settings.seed)


def median(settings: Settings) -> Scheduler:
    """The median stopping rule."""
    return MedianStopping(_interval(settings))


def pbt(settings: Settings) -> Scheduler:
    """Population-based training: a quarter of the trials are drawn, the others descend from the best."""
    from experiments.tuning.optimizer.population import PopulationBased

    return PopulationBased(
        population=max(4, settings.trials // 4),
        interval=_interval(settings),
        trials=settings.trials,
        mutable=settings.mutable,
        seed=settings.seed,
    )


def none(settings: Settings) -> Scheduler:
    """Every trial trains to its own end."""
    return NoStopping()


def _interval(settings: Settings) -> int:
    """Epochs between comparisons of trials: the grace epochs, by default a tenth of all epochs."""
    return settings.grace_epochs or max(1, settings.epochs // 10)


SCHEDULERS: dict[str, SchedulerEntry] = {
    "asha": SchedulerEntry(make=asha),
    "hyperband": SchedulerEntry(make=hyperband),
    "median": SchedulerEntry(make=median),
    "pbt": SchedulerEntry(make=pbt),
    "none": SchedulerEntry(make=none, one_objective=False),
}
