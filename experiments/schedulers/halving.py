"""Successive halving that promotes from checkpoints, in one bracket (ASHA) or several (Hyperband).

Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020, algorithm 2. Differs from the paper:
a trial that is among the best of its rung on arrival goes straight on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.schedulers.policy import Curve, Promotion, Verdict

Rungs = tuple[int, ...]


def rungs(epochs: int, grace_epochs: int, reduction: int) -> Rungs:
    """Epochs after which trials are compared: the grace period, and `reduction` times more each, below the last.

    >>> rungs(epochs=100, grace_epochs=3, reduction=4)
    (3, 12, 48)
    """
    return tuple(
        epoch
        for power in range(1 + int(math.log(max(epochs / grace_epochs, 1), reduction)))
        if (epoch := grace_epochs * reduction**power) < epochs
    )


@dataclass(frozen=True, slots=True)
class SuccessiveHalving:
    """At each rung one trial of `reduction` goes on, the best; the others wait, since better ones may never come.

    Attributes:
        brackets: rungs of each bracket; brackets do not compete with each other.
        reduction: how many trials share a place on the next rung.
        seed: of the draw that puts a trial into its bracket.
    """

    brackets: tuple[Rungs, ...]
    reduction: int
    seed: int

    def judge(self, trial: Curve, curves: Sequence[Curve]) -> Verdict:
        """Pause at a rung, unless the trial is among its best."""
        if trial.spared or trial.epoch not in self._rungs(trial):
            return Verdict.CONTINUE
        best = self._best(trial.epoch, self._bracket(trial), curves)
        return Verdict.CONTINUE if trial.number in best else Verdict.PAUSE

    def next(self, curves: Sequence[Curve]) -> Promotion | None:
        """The best paused trial that has come to be among the best of its rung, on the highest rung there is."""
        for bracket, of_bracket in enumerate(self.brackets):
            for rung in reversed(of_bracket):
                paused = {curve.number for curve in curves if curve.state == "paused" and curve.epoch == rung}
                for number in self._best(rung, bracket, curves):
                    if number in paused:
                        return Promotion(number)
        return None

    def _best(self, rung: int, bracket: int, curves: Sequence[Curve]) -> list[int]:
        """The trials for which the next rung has a place, the best first; of equals the earlier."""
        arrived = [
            (-value, curve.number)
            for curve in curves
            if self._bracket(curve) == bracket and (value := curve.at(rung)) is not None
        ]
        return [number for _, number in sorted(arrived)[: len(arrived) // self.reduction]]

    def _rungs(self, trial: Curve) -> Rungs:
        return self.brackets[self._bracket(trial)]

    def _bracket(self, trial: Curve) -> int:
        """Drawn from the trial's number, in Hyperband's proportions, so that each bracket costs about the same."""
        if len(self.brackets) == 1:
            return 0
        most = len(self.brackets) - 1
        sizes = np.array([self.reduction**power / (power + 1) for power in range(most, -1, -1)])
        return int(np.random.default_rng([self.seed, trial.number]).choice(len(sizes), p=sizes / sizes.sum()))
