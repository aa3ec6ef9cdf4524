"""The searches that are compared, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from benchmarks.replay.in_full import at_random, in_random_order
from benchmarks.replay.measures import Outcome, outcome
from benchmarks.replay.optuna_alone import OptunaAlone
from benchmarks.replay.ours import Ours
from benchmarks.replay.plain_ray import PlainRay
from benchmarks.replay.world import WORKERS, Search, World, replay
from experiments.tuning.optimizer.halving import SuccessiveHalving
from experiments.tuning.optimizer.samplers import SAMPLERS, default_sampler
from experiments.tuning.optimizer.scheduler import Scheduler, Settings
from experiments.tuning.optimizer.schedulers import SCHEDULERS
from narm.errors import InputError
from search_spaces.space import SearchSpace

DEFAULT = "ours: tpe, asha"  # on a grid; `default_method` tells that of any space
PLAIN_RAY = "Ray Tune + OptunaSearch + ASHA"
PLAIN_RAY_IN_FULL = f"{PLAIN_RAY}, no early stopping"
OPTUNA_ALONE = "Optuna, TPE + Hyperband pruner"
RANDOM = "random search in full"
EXHAUSTIVE = "RecBole, exhaustive"

SAME_AS_RANDOM = {"grid"}  # on a finite space, once repetitions are left out
# Of a hundred trials in eleven dimensions: a Gaussian process takes a minute a search, and is only run as by default;
# CMA-ES copies every trial once for each choice that it draws.
SLOW, TOO_SLOW = {"gp"}, {"cmaes"}
ON_A_GRID = [("tpe", *shape) for shape in ((2, 1), (2, 2), (3, 1), (3, 2), (4, 2), (4, 4), (5, 1))]
IN_A_WIDE_SPACE = [(sampler, 4, grace) for sampler in ("gp", "tpe") for grace in (2, 4)]
"""Samplers with other reductions and grace epochs than `asha` has by default."""
WITHOUT_CURVES = {"pbt"}  # a trial that starts from another's weights has a curve of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way to search.

    Attributes:
        search: a new search of a world, from the world, a seed and a number of trials.
        early_stopping: whether its trials stop as RecBole's do, after 10 validations without a new best.
        workers: trials at once.
    """

    search: Callable[[World, int, int], Search]
    early_stopping: bool = True
    workers: int = WORKERS

    def run(self, world: World, seed: int, trials: int) -> Outcome:
        """Search a world once, with so many trials."""
        world = world if self.early_stopping else world.without_early_stopping()
        return outcome(replay(self.search(world, seed, trials), world, seed=seed, workers=self.workers))


OF_A_GRID = {
    PLAIN_RAY_IN_FULL: Method(search=PlainRay, early_stopping=False),
    RANDOM: Method(search=in_random_order),
    EXHAUSTIVE: Method(search=in_random_order, workers=1),
    f"{EXHAUSTIVE}, 10 without progress": Method(search=partial(in_random_order, patience=10), workers=1),
}


def default_method(space: SearchSpace, trials: int) -> str:
    """The name of what a search of so many trials does by default."""
    return f"ours: {default_sampler(space, trials=trials)}, asha"


def methods_for(space: SearchSpace) -> dict[str, Method]:
    """The methods that can search a space, by the names they have in the results."""
    is_wide = space.size is None
    ours = {
        f"ours: {sampler}, {scheduler}": _ours(sampler, SCHEDULERS[scheduler].make)
        for sampler in SAMPLERS
        if sampler not in SAME_AS_RANDOM and _can_draw(sampler, space)
        for scheduler in SCHEDULERS
        if scheduler not in WITHOUT_CURVES and (sampler not in SLOW or not is_wide or scheduler == "asha")
    }
    halvings = {
        f"ours: {sampler}, asha, reduction {reduction}, grace {grace}": _ours(
            sampler, SCHEDULERS["asha"].make, reduction=reduction, grace_epochs=grace
        )
        for sampler, reduction, grace in (IN_A_WIDE_SPACE if is_wide else ON_A_GRID)
    }
    return {
        **ours,
        **halvings,
        f"{DEFAULT}, no crowd, one survivor": _ours("tpe", asha_of_the_paper),
        PLAIN_RAY: Method(search=PlainRay),
        OPTUNA_ALONE: Method(search=OptunaAlone),
        **({RANDOM: Method(search=at_random)} if is_wide else OF_A_GRID),
    }


def _ours(sampler: str, scheduler: Callable[[Settings], Scheduler], **shape: Any) -> Method:
    return Method(search=partial(Ours, sampler=SAMPLERS[sampler], scheduler=scheduler, **shape))


def asha_of_the_paper(settings: Settings) -> Scheduler:
    """What is left of `asha` without a crowd to choose from, and without survivors."""
    ours = SCHEDULERS["asha"].make(settings)
    assert isinstance(ours, SuccessiveHalving)
    return replace(ours, crowd=1, survivors=0)


def _can_draw(sampler: str, space: SearchSpace) -> bool:
    """Whether a sampler takes the space, in reasonable time: CMA-ES needs numeric ranges."""
    if sampler in TOO_SLOW and space.size is None:
        return False
    try:
        SAMPLERS[sampler].check(space)
    except InputError:
        return False
    return True
