"""What a search is for: a validation metric, and what else should be small."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from narm.config import OPTIONS
from narm.errors import InputError
from narm.metrics import key_of
from narm.text.suggestion import did_you_mean
from narm.training_state import EpochResult

Direction = Literal["maximize", "minimize"]

COSTS: dict[str, Callable[[EpochResult], float]] = {
    "n_parameters": lambda result: float(result.n_parameters),
    "epoch_seconds": lambda result: result.mean_seconds,
}


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective, and which way is better.

    Attributes:
        name: a metric (`MRR@10`), or one of `COSTS`.
    """

    name: str

    @property
    def direction(self) -> Direction:
        """Metrics are maximised, costs minimised."""
        return "minimize" if self.name in COSTS else "maximize"

    def value(self, result: EpochResult) -> float:
        """Value of a trial after its latest epoch: of a metric the best so far."""
        return COSTS[self.name](result) if self.name in COSTS else result.best[key_of(self.name)]


def parse_objectives(text: str) -> tuple[Objective, ...]:
    """Objectives of a list such as `MRR@20,n_parameters`: a metric first, then costs.

    Raises:
        InputError: it begins with no metric, or names something unknown, or something twice.
    """
    metric, *costs = [part.strip() for part in text.split(",")]
    if metric in COSTS:
        raise InputError(f"objective: {metric} alone is best for a model that learns nothing: begin with a metric")
    for cost in costs:
        if cost not in COSTS:
            raise InputError(f"objective: '{cost}' is no cost to minimise{did_you_mean(cost, COSTS)}")
        if costs.count(cost) > 1:
            raise InputError(f"objective: {cost} stands there twice")
    return (Objective(OPTIONS.check("valid_metric", metric)), *map(Objective, costs))


def describe(objectives: Sequence[Objective]) -> str:
    """`MRR@20,n_parameters`, as `parse_objectives` reads it."""
    return ",".join(objective.name for objective in objectives)
