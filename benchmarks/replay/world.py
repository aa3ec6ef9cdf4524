"""The simulated world: a few workers, an epoch a unit of time, and curves instead of training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from experiments.tuning.engine.proposals import Configuration, configuration
from search_spaces.space import SearchSpace

WORKERS = 2
STREAM = 943  # apart from the draws of the searches, which begin with the same seed

Params = Mapping[str, Any]
Floats = NDArray[np.float64]


class World(Protocol):
    """What any configuration of a space comes to when it is trained."""

    @property
    def space(self) -> SearchSpace:
        """Where configurations are from."""

    @property
    def max_epochs(self) -> int:
        """Of a training at most."""

    def curve(self, params: Params, seed: int, repetition: int) -> Floats:
        """The objective's best so far by epoch, float64[epochs].

        Which training of the configuration it is, is drawn from the seed, the configuration and how often the search
        has tried it: searches with the same seed see the same world, whatever order they look at it in.
        """

    def regret(self, params: Params) -> float:
        """How far the configuration is below the best, as a share of the best."""

    def without_early_stopping(self) -> World:
        """As if every training went on to the last epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a search wants trained: a new trial, or one that was paused and goes on where it stood."""

    trial: int
    params: Params


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a search is told after an epoch.

    Attributes:
        epoch: epochs of the trial so far, from 1.
        value: the objective, the best so far.
        final: whether the trial ends here of its own accord, by early stopping or after all epochs.
        stopped_early: whether it was early stopping.
    """

    epoch: int
    value: float
    final: bool
    stopped_early: bool


class Search(Protocol):
    """A search, as the world drives it."""

    def next(self) -> Job | None:
        """What a free slot should train; None: nothing, for now or at all."""

    def reported(self, trial: int, report: Report) -> bool:
        """Take note of an epoch; whether the trial trains on, which a final one does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An epoch of a search.

    Attributes:
        trial: that trained it.
        params: of the trial.
        regret: of these.
        value: the trial's best so far.
        ceiling: the best that the trial comes to if it is trained to its end.
    """

    trial: int
    params: Params
    regret: float
    value: float
    ceiling: float


@dataclass(slots=True)
class _Training:
    """A trial in training, or paused."""

    params: Params
    regret: float
    curve: Floats
    max_epochs: int
    epoch: int = 0

    def train(self) -> Report:
        self.epoch += 1
        ended = self.epoch == len(self.curve)
        return Report(
            epoch=self.epoch,
            value=float(self.curve[self.epoch - 1]),
            final=ended,
            stopped_early=ended and self.epoch < self.max_epochs,
        )


def replay(search: Search, world: World, *, seed: int, workers: int = WORKERS) -> list[Step]:
    """Run a search to its end.

    Args:
        search: asked whenever a slot is free, told after every epoch.
        world: what it trains in.
        seed: of the world.
        workers: trials at once.
    Returns:
        every epoch trained, in order.
    """
    trainings: dict[int, _Training] = {}
    tried: Counter[Configuration] = Counter()
    steps: list[Step] = []
    running: list[tuple[int, int, int]] = []  # when the epoch is over, the order of starts, the trial
    order, clock = count(), 0
    while True:
        while len(running) < workers and (job := search.next()) is not None:
            if job.trial not in trainings:
                params = job.params
                curve = world.curve(params, seed, tried[configuration(params)])
                trainings[job.trial] = _Training(params, world.regret(params), curve, world.max_epochs)
                tried[configuration(params)] += 1
            heappush(running, (clock + 1, next(order), job.trial))
        if not running:
            return steps
        clock, _, trial = heappop(running)
        training = trainings[trial]
        report = training.train()
        steps.append(
            Step(
                trial=trial,
                params=training.params,
                regret=training.regret,
                value=report.value,
                ceiling=float(training.curve[-1]),
            )
        )
        if search.reported(trial, report) and not report.final:
            heappush(running, (clock + 1, next(order), trial))
