"""Successive halving that promotes from checkpoints, in one bracket (ASHA) or several (Hyperband).

Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020, algorithm 2. Differs from the paper:

- A trial that is among the best of its rung on arrival trains on at once.
- The first rung promotes no trial before a crowd has arrived there: the best of the first few draws are no good, and
  asynchronous halving spends most of its epochs on training them to the end (`benchmarks.search`).
- When the last configuration has begun, the rungs are settled from the lowest up, and at each rung several survivors
  train on, so that the search ends with a choice: one value on one validation split is too noisy to leave a single
  trial. A trial that is sure of its place, whatever the trials still on their way reach, does not wait for them, so
  that no worker idles.
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
    """Epochs after which trials are compared: the grace epochs, then `reduction` times more each, below the last epoch.

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
    """At each rung the best one of `reduction` trials trains on; the others are paused, since better ones may not come.

    Attributes:
        brackets: the rungs of each bracket; brackets do not compete with each other.
        reduction: how many trials share a place on the next rung.
        seed: seed of the draw that puts a trial into its bracket.
        crowd: trials that a first rung waits for as long as new ones come.
        survivors: trials of each bracket that go on from every rung once the last configuration has begun.
    """

    brackets: tuple[Rungs, ...]
    reduction: int
    seed: int
    crowd: int = 1
    survivors: int = 1

    def on_result(self, trial: Curve, curves: Sequence[Curve]) -> Decision:
        """Pause a trial at a rung, unless it is among the best there."""
        bracket = self._bracket(trial)
        if trial.never_stopped or trial.epoch not in self.brackets[bracket]:
            return Decision.CONTINUE
        arrived = self._arrived(trial.epoch, bracket, curves)
        best = arrived[: self._places(trial.epoch, bracket, len(arrived))]
        return Decision.CONTINUE if trial.number in best else Decision.PAUSE

    def next(self, curves: Sequence[Curve], *, more: bool) -> Promotion | None:
        """The best paused trial with a place on the next rung; the highest rung first, in the end the lowest."""
        for bracket, of_bracket in enumerate(self.brackets):
            for rung in reversed(of_bracket) if more else of_bracket:
                arrived = self._arrived(rung, bracket, curves)
                places = self._places(rung, bracket, len(arrived))
                if not more:
                    places = max(places, self._sure_places(rung, bracket, len(arrived), curves))
                paused = {curve.number for curve in curves if curve.state == "paused" and curve.epoch == rung}
                for number in arrived[:places]:
                    if number in paused:
                        return Promotion(number)
        return None

    def most_epochs(self, trials: int, epochs: int) -> int:
        """All trials of a bracket train to its first rung, those with a place there to the next, and so on."""
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

    def _arrived(self, rung: int, bracket: int, curves: Sequence[Curve]) -> list[int]:
        """Numbers of the bracket's trials that have reached a rung, the best first; among equals the earlier."""
        arrived = [
            (-value, curve.number)
            for curve in curves
            if self._bracket(curve) == bracket and (value := curve.at(rung)) is not None
        ]
        return [number for _, number in sorted(arrived)]

    def _places(self, rung: int, bracket: int, n_arrived: int) -> int:
        """How many of the trials that have reached a rung train on, when any number may follow them."""
        is_crowded = rung != self.brackets[bracket][0] or n_arrived >= self.crowd
        return n_arrived // self.reduction if is_crowded else 0

    def _sure_places(self, rung: int, bracket: int, n_arrived: int, curves: Sequence[Curve]) -> int:
        """How many are sure to train on once no new trials come, though each of those on their way may take a place.

        0 as long as the rung below is not settled: how many trials will come from there is open.
        """
        below = max((other for other in self.brackets[bracket] if other < rung), default=0)
        on_their_way = [
            curve.epoch
            for curve in curves
            if curve.state == "running" and curve.epoch < rung and self._bracket(curve) == bracket
        ]
        if any(epoch < below for epoch in on_their_way):
            return 0
        in_the_end = max((n_arrived + len(on_their_way)) // self.reduction, self.survivors)
        return max(0, in_the_end - len(on_their_way))

    def _bracket(self, trial: Curve) -> int:
        """Index of a trial's bracket, drawn from its number."""
        if len(self.brackets) == 1:
            return 0
        return int(np.random.default_rng([self.seed, trial.number]).choice(len(self.brackets), p=self._shares()))

    def _shares(self) -> NDArray[np.float64]:
        """Share of the trials that each bracket gets, float64[brackets]; as in Hyperband, all cost about the same."""
        most = len(self.brackets) - 1
        sizes = np.array([self.reduction**power / (power + 1) for power in range(most, -1, -1)])
        return np.asarray(sizes / sizes.sum())
