"""Successive halving that promotes from checkpoints, in one bracket (ASHA) or several (Hyperband).

Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020, algorithm 2. Differs from the paper:

- A trial that is among the best of its rung on arrival goes straight on.
- The first rung promotes no one before a crowd has arrived there: the best of the first few draws are no good, and
  training them to the end is what asynchronous halving mostly spends its epochs on (`benchmarks.search`).
- When the last configuration has begun, rungs are settled from the lowest up, and so many survivors go on at each
  that the search ends with a choice: one value on one validation split is too noisy to leave a single trial. Whoever
  is sure of a place, whatever becomes of those still on their way, does not wait for them: no slot stands empty.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.tuning.optimizer.scheduler import Curve, Decision, Promotion

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
        crowd: trials that a first rung waits for as long as new ones come.
        survivors: trials of each bracket that go on from every rung in the end.
    """

    brackets: tuple[Rungs, ...]
    reduction: int
    seed: int
    crowd: int = 1
    survivors: int = 1

    def on_result(self, trial: Curve, curves: Sequence[Curve]) -> Decision:
        """Pause at a rung, unless the trial is among its best."""
        if trial.never_stopped or trial.epoch not in self._rungs(trial):
            return Decision.CONTINUE
        best = self._best(trial.epoch, self._bracket(trial), curves)
        return Decision.CONTINUE if trial.number in best else Decision.PAUSE

    def next(self, curves: Sequence[Curve], *, more: bool) -> Promotion | None:
        """The best paused trial that its rung has a place for: on the highest rung, or, in the end, on the lowest."""
        for bracket, of_bracket in enumerate(self.brackets):
            for rung in reversed(of_bracket) if more else of_bracket:
                best = self._best(rung, bracket, curves, None if more else self._to_come(rung, bracket, curves))
                paused = {curve.number for curve in curves if curve.state == "paused" and curve.epoch == rung}
                for number in best:
                    if number in paused:
                        return Promotion(number)
        return None

    def most_epochs(self, trials: int, epochs: int) -> int:
        """All trials of a bracket go to its first rung, those with a place there to the next, and so on."""
        return sum(
            self._most_epochs(of_bracket, round(trials * share), epochs)
            for of_bracket, share in zip(self.brackets, self._shares(), strict=True)
        )

    def _most_epochs(self, of_bracket: Rungs, trials: int, epochs: int) -> int:
        total = reached = 0
        for rung in of_bracket:
            total += trials * (rung - reached)
            trials, reached = max(trials // self.reduction, min(self.survivors, trials)), rung
        return total + trials * (epochs - reached)

    def _best(self, rung: int, bracket: int, curves: Sequence[Curve], to_come: int | None = None) -> list[int]:
        """The trials that have a place on the next rung, the best first; of equals the earlier.

        Args:
            rung: where they have arrived.
            bracket: of the rung.
            curves: of all trials.
            to_come: trials that will still arrive there; None: nobody knows.
        """
        arrived = [
            (-value, curve.number)
            for curve in curves
            if self._bracket(curve) == bracket and (value := curve.at(rung)) is not None
        ]
        is_crowded = rung != self.brackets[bracket][0] or len(arrived) >= self.crowd
        places = len(arrived) // self.reduction if is_crowded else 0
        if to_come is not None:  # each of which may take one
            in_the_end = max((len(arrived) + to_come) // self.reduction, self.survivors)
            places = max(places, in_the_end - to_come)
        return [number for _, number in sorted(arrived)[:places]]

    def _to_come(self, rung: int, bracket: int, curves: Sequence[Curve]) -> int | None:
        """Trials on their way to the rung when no new ones come; None while the rung below is not settled."""
        below = max((other for other in self.brackets[bracket] if other < rung), default=0)
        coming = [
            curve.epoch
            for curve in curves
            if curve.state == "running" and curve.epoch < rung and self._bracket(curve) == bracket
        ]
        return len(coming) if all(epoch >= below for epoch in coming) else None

    def _rungs(self, trial: Curve) -> Rungs:
        return self.brackets[self._bracket(trial)]

    def _bracket(self, trial: Curve) -> int:
        """Drawn from the trial's number."""
        if len(self.brackets) == 1:
            return 0
        return int(np.random.default_rng([self.seed, trial.number]).choice(len(self.brackets), p=self._shares()))

    def _shares(self) -> NDArray[np.float64]:
        """Of the trials that each bracket gets: Hyperband's, so that each costs about the same."""
        most = len(self.brackets) - 1
        sizes = np.array([self.reduction**power / (power + 1) for power in range(most, -1, -1)])
        return np.asarray(sizes / sizes.sum())
