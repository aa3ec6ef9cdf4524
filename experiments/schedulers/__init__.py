"""Schedulers by name: which trials stop before their last epoch.

All judge the best value so far, larger is better, against the epoch; none of them stops the default configuration.
"""

from __future__ import annotations

from collections.abc import Callable

from experiments.schedulers.halving import SuccessiveHalving, rungs
from experiments.schedulers.median import MedianStopping
from experiments.schedulers.no_stopping import NoStopping
from experiments.schedulers.policy import Scheduler, Settings
from experiments.schedulers.population import PopulationBased


def asha(settings: Settings) -> Scheduler:
    """Asynchronous successive halving: at each rung the best third goes on."""
    grace = _grace_epochs(settings)
    return SuccessiveHalving((rungs(settings.epochs, grace, settings.reduction),), settings.reduction, settings.seed)


def hyperband(settings: Settings) -> Scheduler:
    """Hyperband, asynchronously: brackets of successive halving that begin at ever later rungs."""
    all_rungs = rungs(settings.epochs, _grace_epochs(settings), settings.reduction)
    brackets = tuple(all_rungs[first:] for first in range(len(all_rungs) + 1))
    return SuccessiveHalving(brackets, settings.reduction, settings.seed)


def median(settings: Settings) -> Scheduler:
    """The median stopping rule."""
    return MedianStopping(_grace_epochs(settings))


def pbt(settings: Settings) -> Scheduler:
    """Population-based training: a quarter of the trials are drawn, the others descend from the best."""
    return PopulationBased(
        population=max(4, settings.trials // 4),
        interval=_grace_epochs(settings),
        trials=settings.trials,
        mutable=settings.mutable,
        seed=settings.seed,
    )


def none(settings: Settings) -> Scheduler:
    """Every trial runs to its own end."""
    return NoStopping()


def _grace_epochs(settings: Settings) -> int:
    """Epochs that every trial is given: as asked for, or two reductions below the last epoch."""
    return settings.grace_epochs or max(1, settings.epochs // settings.reduction**2)


SCHEDULERS: dict[str, Callable[[Settings], Scheduler]] = {
    "asha": asha,
    "hyperband": hyperband,
    "median": median,
    "pbt": pbt,
    "none": none,
}
