"""Population-based training (Jaderberg et al., arXiv:1711.09846).

Differs from the paper: a member that takes over the weights of a better one becomes a new trial, since a trial has
one configuration; from there on it is compared by the values that it reaches itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from experiments.tuning.optimizer.scheduler import Curve, Decision, Offspring, Promotion

QUANTILE = 0.25  # the paper's "truncation selection" has a fifth
FACTORS = (0.8, 1.2)  # the paper's


@dataclass(frozen=True, slots=True)
class PopulationBased:
    """Trains a population side by side; every `interval` epochs its worst members take over from its best.

    Attributes:
        population: number of members.
        interval: epochs between comparisons.
        trials: trials of the study at most, members and offspring together.
        mutable: distributions of the parameters that may change while a model trains.
        seed: seed of parents and perturbations.
    """

    population: int
    interval: int
    trials: int
    mutable: Mapping[str, BaseDistribution]
    seed: int

    def on_result(self, trial: Curve, curves: Sequence[Curve]) -> Decision:
        """Pause a trial at each comparison, until the others are there."""
        due = trial.epoch % self.interval == 0 and not trial.never_stopped
        return Decision.PAUSE if due else Decision.CONTINUE

    def next(self, curves: Sequence[Curve], *, more: bool) -> Promotion | Offspring | None:
        """The paused member with the fewest epochs trains on, or is replaced if it is among the worst."""
        waiting = [curve for curve in curves if curve.state == "paused"]
        if not waiting or (more and len(curves) < self.population):
            return None
        member = min(waiting, key=lambda curve: (curve.epoch, curve.number))
        ranked = self._ranked(member.epoch, curves)
        few = int(len(ranked) * QUANTILE)
        if few == 0 or len(curves) >= self.trials or member.number not in [curve.number for curve in ranked[-few:]]:
            return Promotion(member.number)
        rng = np.random.default_rng([self.seed, len(curves)])
        parent = ranked[rng.integers(few)]
        return Offspring(parent=parent.number, params=self._perturbed(parent.params, rng), instead_of=member.number)

    def most_epochs(self, trials: int, epochs: int) -> int:
        """Epochs of the members alone: an offspring starts at the epoch of its parent."""
        return min(self.population, trials) * epochs

    def _ranked(self, epoch: int, curves: Sequence[Curve]) -> list[Curve]:
        """The members that have reached an epoch, the best first."""
        there = [
            (value, curve) for curve in curves if curve.state != "stopped" and (value := curve.at(epoch)) is not None
        ]
        return [curve for _, curve in sorted(there, key=lambda pair: (-pair[0], pair[1].number))]

    def _perturbed(self, params: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
        return {
            name: perturbed(self.mutable[name], value, rng) if name in self.mutable else value
            for name, value in params.items()
        }


def perturbed(distribution: BaseDistribution, value: Any, rng: np.random.Generator) -> Any:
    """A value nearby: a fifth more or less, within the range; among choices a neighbour."""
    if isinstance(distribution, CategoricalDistribution):
        index = distribution.choices.index(value) + rng.choice([-1, 1])
        return distribution.choices[int(np.clip(index, 0, len(distribution.choices) - 1))]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    moved = float(np.clip(value * rng.choice(FACTORS), distribution.low, distribution.high))
    if distribution.step is not None:
        moved = distribution.low + round((moved - distribution.low) / distribution.step) * distribution.step
    return round(moved) if isinstance(distribution, IntDistribution) else moved
