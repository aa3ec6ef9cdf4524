"""The searches that are compared, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from benchmarks.replay.in_full import at_random, in_random_order
from benchmarks.replay.measures import Outcome, outcome
from benchmarks.replay.optuna_alone import OptunaAlone
from benchmarks.replay.ours import Ours
from benchmarks.replay.plain_ray import PlainRay
from benchmarks.replay.table import CurveTable
from benchmarks.replay.world import WORKERS, Search, replay
from experiments.samplers import SAMPLERS
from experiments.schedulers import SCHEDULERS
from experiments.schedulers.halving import SuccessiveHalving
from experiments.schedulers.policy import Scheduler, Settings
from narm.errors import InputError

DEFAULT = "ours: tpe, asha"
PLAIN_RAY = "Ray Tune + OptunaSearch + ASHA"
PLAIN_RAY_IN_FULL = f"{PLAIN_RAY}, no early stopping"
OPTUNA_ALONE = "Optuna, TPE + Hyperband pruner"
RANDOM = "random search in full"
EXHAUSTIVE = "RecBole, exhaustive"

SAME_AS_RANDOM = {"grid"}  # on a finite space, once repetitions are left out
# Of a hundred trials in eleven dimensions: a Gaussian process takes minutes a search, and is random search where trials
# are held up, since it learns of finished ones only; CMA-ES copies every trial once for each choice that it draws.
TOO_SLOW = {"gp", "cmaes"}
HALVINGS = ((2, 1), (2, 2), (3, 1), (3, 2), (4, 2), (4, 4), (5, 1))  # reductions and grace epochs, beside the default
NOT_IN_A_TABLE = {"pbt"}  # a trial that starts from another's weights has a curve of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way to search.

    Attributes:
        search: a new search of a table, from the table, a seed and a number of trials.
        early_stopping: whether its trials stop as RecBole's do, after 10 validations without a new best.
        workers: trials at once.
    """

    search: Callable[[CurveTable, int, int], Search]
    early_stopping: bool = True
    workers: int = WORKERS

    def run(self, table: CurveTable, seed: int, trials: int) -> Outcome:
        """Search a table once, with so many trials."""
        world = table if self.early_stopping else table.without_early_stopping()
        search = self.search(world, seed, trials)
        return outcome(replay(search, world, seed=seed, workers=self.workers), table)


def methods_for(table: CurveTable) -> dict[str, Method]:
    """The methods that can search this space, ours first, by the names they have in the results."""
    ours = {
        f"ours: {sampler}, {scheduler}": Method(
            search=partial(Ours, sampler=SAMPLERS[sampler], scheduler=SCHEDULERS[scheduler])
        )
        for sampler in SAMPLERS
        if sampler not in SAME_AS_RANDOM and _can_draw(sampler, table)
        for scheduler in SCHEDULERS
        if scheduler not in NOT_IN_A_TABLE
    }
    halvings = {
        f"{DEFAULT}, reduction {reduction}, grace {grace}": Method(
            search=partial(
                Ours, sampler=SAMPLERS["tpe"], scheduler=SCHEDULERS["asha"], reduction=reduction, grace_epochs=grace
            )
        )
        for reduction, grace in HALVINGS
    }
    return {
        **ours,
        **halvings,
        f"{DEFAULT}, no crowd, one survivor": Method(
            search=partial(Ours, sampler=SAMPLERS["tpe"], scheduler=asha_of_the_paper)
        ),
        PLAIN_RAY: Method(search=PlainRay),
        PLAIN_RAY_IN_FULL: Method(search=PlainRay, early_stopping=False),
        OPTUNA_ALONE: Method(search=OptunaAlone),
        **_in_full(table),
    }


def _in_full(table: CurveTable) -> dict[str, Method]:
    """Random search, and RecBole's search of the whole grid where there is one."""
    if not table.is_finite:
        return {RANDOM: Method(search=at_random)}
    return {
        RANDOM: Method(search=in_random_order),
        EXHAUSTIVE: Method(search=in_random_order, workers=1),
        f"{EXHAUSTIVE}, 10 without progress": Method(search=partial(in_random_order, patience=10), workers=1),
    }


def asha_of_the_paper(settings: Settings) -> Scheduler:
    """What is left of `asha` without a crowd to choose from, and without survivors."""
    ours = SCHEDULERS["asha"](settings)
    assert isinstance(ours, SuccessiveHalving)
    return replace(ours, crowd=1, survivors=0)


def _can_draw(sampler: str, table: CurveTable) -> bool:
    """Whether a sampler takes the space, in reasonable time: CMA-ES needs numeric ranges."""
    if sampler in TOO_SLOW and not table.is_finite:
        return False
    try:
        SAMPLERS[sampler](table.space, 0)
    except InputError:
        return False
    return True
