"""Whether a configuration may ship, as far as that is known before it is trained."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from experiments.tuning.study.constraints import Constraint, broken, values
from narm.config import Config
from narm.footprint import costs_of_shape
from narm.model import SHAPE_OPTIONS
from narm.models import MODELS


@dataclass(slots=True, kw_only=True)
class Feasibility:
    """The constraints of a search, and what its configurations are known to cost.

    The size of a network follows from its configuration. What a request takes is measured by the first worker that is
    to train a model of that shape, on the threads and the machine of the trials, and holds for every other trial of it.
    All costs of a baseline, which is learned at once, depend on the data, and are measured so.

    Args:
        constraints: none: every configuration may ship.
        config: options of the study, which configurations vary; without constraints it does not matter.
        n_items: items of the data and the padding; likewise.
    """

    constraints: Sequence[Constraint] = ()
    config: Config = field(default_factory=Config)
    n_items: int = 0
    _known: dict[Hashable, dict[str, float]] = field(init=False, default_factory=dict)
    _flat: dict[str, Any] = field(init=False)
    _deciding: list[str] = field(init=False)
    """Options that decide the costs: of a network a few, of a baseline all."""

    def __post_init__(self) -> None:
        self._flat = self.config.flat()
        self._deciding = sorted(self._flat if self._is_learned_at_once else SHAPE_OPTIONS)

    def costs(self, options: Mapping[str, Any]) -> dict[str, float]:
        """What is known of the costs of a configuration; empty without constraints, which nobody asks for then."""
        if not self.constraints:
            return {}
        shape = self._shape(options)
        if shape not in self._known:
            self._known[shape] = {} if self._is_learned_at_once else self._size(options)
        return self._known[shape]

    def _size(self, options: Mapping[str, Any]) -> dict[str, float]:
        return costs_of_shape(self.config.replace(options), self.n_items).known

    def learn(self, options: Mapping[str, Any], costs: Mapping[str, float]) -> None:
        """Remember what a worker measured, for all configurations of that shape."""
        if self.constraints:
            self._known[self._shape(options)] = {**self.costs(options), **costs}

    def must_measure(self, options: Mapping[str, Any]) -> bool:
        """Whether a worker has to measure a configuration before it trains it."""
        known = self.costs(options)
        return any(constraint.cost not in known for constraint in self.constraints)

    def broken(self, options: Mapping[str, Any]) -> str | None:
        """Which bound the configuration is above, and by what; None: none, as far as is known."""
        return broken(self.constraints, self.costs(options))

    def values(self, options: Mapping[str, Any]) -> dict[str, float]:
        """Optuna's values of the constraints, as far as they are known."""
        return values(self.constraints, self.costs(options))

    @property
    def _is_learned_at_once(self) -> bool:
        return MODELS[self.config.model.model].learned_at_once

    def _shape(self, options: Mapping[str, Any]) -> Hashable:
        flat = {**self._flat, **options}
        return tuple(repr(flat[name]) for name in self._deciding)
