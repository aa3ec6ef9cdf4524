"""What a replayed search came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from benchmarks.replay.world import Floats, Step
from experiments.tuning.engine.proposals import configuration

TOLERANCE = 0.01  # "within 1 % of the best"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The measures of one search; epochs are those of all its trials together.

    Attributes:
        epochs: of the whole search.
        trials: it made.
        duplicates: trials of a configuration that it had tried before.
        found: epochs until a configuration worth so much had been trained to within 1 % of its own best; None: never.
        regrets: how far its incumbent, the configuration with the best value seen so far, was below the best after
            each epoch, as a share of the best, float64[epochs].
    """

    epochs: int
    trials: int
    duplicates: int
    found: int | None
    regrets: Floats

    def reached(self, tolerance: float) -> int | None:
        """Epochs until the incumbent was that near to the best for the first time; None: it never was."""
        return _first(self.regrets <= tolerance)

    def until(self, tolerance: float) -> int:
        """The same; a search that never came there counts with all its epochs."""
        return self.reached(tolerance) or self.epochs

    def regret_after(self, epochs: int) -> float:
        """Of the incumbent after so many epochs, or at the end of the search where it came earlier."""
        return float(self.regrets[min(epochs, len(self.regrets)) - 1])


def outcome(steps: Sequence[Step]) -> Outcome:
    """Measure a search by its epochs."""
    tried = {step.trial: configuration(step.params) for step in steps}
    found = [step.regret <= TOLERANCE and step.value >= (1 - TOLERANCE) * step.ceiling for step in steps]
    return Outcome(
        epochs=len(steps),
        trials=len(tried),
        duplicates=len(tried) - len(set(tried.values())),
        found=_first(np.array(found)),
        regrets=np.array([step.regret for step in incumbents(steps)]),
    )


def incumbents(steps: Sequence[Step]) -> list[Step]:
    """After each epoch the one with the best value seen so far; of equals the earlier."""
    return list(accumulate(steps, _better))


def _better(best: Step, step: Step) -> Step:
    return step if step.value > best.value else best


def expected_epochs(outcomes: Sequence[Outcome]) -> float:
    """Epochs that a search run again and again until it reaches the 1 % costs on average; infinite if it never does.

    What searches without success spent counts too: a search is not better for giving up early (the expected running
    time of Hansen et al., "COCO", Optimization Methods and Software 2021).
    """
    spent = sum(outcome.until(TOLERANCE) for outcome in outcomes)
    successes = sum(outcome.reached(TOLERANCE) is not None for outcome in outcomes)
    return spent / successes if successes else float("inf")


def _first(reached: NDArray[np.bool_]) -> int | None:
    """Epochs until it is true for the first time, from 1."""
    return int(reached.argmax()) + 1 if reached.any() else None
