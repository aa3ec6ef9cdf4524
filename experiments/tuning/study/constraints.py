"""What a model may cost at most to be shipped: `megabytes <= 50`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from narm.errors import InputError
from narm.text.suggestion import did_you_mean

BY_SHAPE = ("n_parameters", "megabytes")
"""Costs of a network that follow from its configuration and the number of items."""

MEASURED = ("request_ms",)
"""Costs that a worker measures before it trains."""

KNOWN_BEFORE = (*BY_SHAPE, *MEASURED)
"""Costs that a constraint may bound: all of them are known before anything is trained."""

_FORM = re.compile(r"\s*(\w+)\s*<=\s*(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Constraint:
    """An upper bound of a cost.

    Attributes:
        cost: one of `KNOWN_BEFORE`.
        bound: the largest value that is allowed.
    """

    cost: str
    bound: float

    def __str__(self) -> str:
        short = f"{self.bound:g}"
        return f"{self.cost} <= {short if float(short) == self.bound else self.bound}"

    def excess(self, costs: Mapping[str, float]) -> float | None:
        """By which share of the bound a configuration is above it, 0 or less within it; None: its cost is not known.

        Optuna's convention for the value of a constraint; as a share, constraints of different units compare.
        """
        return costs[self.cost] / self.bound - 1 if self.cost in costs else None


def parse_constraint(text: str) -> Constraint:
    """The constraint of `megabytes <= 50`.

    Raises:
        InputError: it is none, of no cost that is known before training, or without a positive bound.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise InputError(f"constraint: '{text}' is none: write COST <= BOUND, as in 'megabytes <= 50'")
    cost, bound = match[1], _number(match[2])
    if cost == "epoch_seconds":
        raise InputError(f"constraint: epoch_seconds is known only after training: bound {', '.join(KNOWN_BEFORE)}")
    if cost not in KNOWN_BEFORE:
        raise InputError(f"constraint: there is no cost '{cost}'{did_you_mean(cost, KNOWN_BEFORE)}")
    if not (bound > 0 and math.isfinite(bound)):
        raise InputError(f"constraint: '{match[2]}' is no bound: write a number above 0, such as 50 or 4e6")
    return Constraint(cost, bound)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def parse_constraints(texts: Sequence[str]) -> tuple[Constraint, ...]:
    """The constraints of a search, one of a cost.

    Raises:
        InputError: one of them is none, or two are of one cost.
    """
    constraints = tuple(map(parse_constraint, texts))
    costs = [constraint.cost for constraint in constraints]
    for cost in costs:
        if costs.count(cost) > 1:
            raise InputError(f"constraint: {cost} is bounded twice: leave the larger bound out")
    return constraints


def describe(constraints: Sequence[Constraint]) -> str:
    """`megabytes <= 50, request_ms <= 5`."""
    return ", ".join(map(str, constraints))


def values(constraints: Sequence[Constraint], costs: Mapping[str, float]) -> dict[str, float]:
    """Optuna's values of the constraints whose costs are known, by what a constraint is called."""
    known = {str(constraint): constraint.excess(costs) for constraint in constraints}
    return {name: excess for name, excess in known.items() if excess is not None}


def broken(constraints: Sequence[Constraint], costs: Mapping[str, float]) -> str | None:
    """What is above which bound: `megabytes 61.2 (at most 50)`; None: nothing, as far as is known."""
    above = [
        f"{one.cost} {_rounded(costs[one.cost])} (at most {_rounded(one.bound)})"
        for one in constraints
        if (one.excess(costs) or 0.0) > 0
    ]
    return ", ".join(above) or None


def _rounded(cost: float) -> str:
    return f"{cost:,.0f}" if cost >= 1000 else f"{cost:.3g}"
