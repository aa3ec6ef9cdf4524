"""Ray Tune with its OptunaSearch and ASHA, all defaults, without a cluster.

Searcher and scheduler are Ray's own, called in the order in which Ray's TuneController calls them: a result goes to
the scheduler first, and to the searcher only where the trial goes on; a trial that stopped, by itself or on the
scheduler's word, is complete for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import optuna
from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler
from ray.tune.search.optuna import OptunaSearch

from benchmarks.replay.world import Job, Report, World

METRIC = "value"


@dataclass(frozen=True, slots=True)
class _Trial:
    """As much of Ray's trial as the scheduler looks at."""

    trial_id: str


class PlainRay:
    """What a user of Ray Tune would write; trials report their best value so far.

    Args:
        world: what is searched.
        seed: of OptunaSearch.
        trials: Ray's `num_samples`.
    """

    def __init__(self, world: World, seed: int, trials: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._searcher = OptunaSearch(dict(world.space.distributions), metric=METRIC, mode="max", seed=seed)
        # Any, since it is given neither Ray's controller, which it never asks, nor a whole trial
        self._scheduler: Any = AsyncHyperBandScheduler(metric=METRIC, mode="max", max_t=world.max_epochs)
        self._trials: list[_Trial] = []
        self._num_samples = trials

    def next(self) -> Job | None:
        """What OptunaSearch suggests."""
        if len(self._trials) == self._num_samples:
            return None
        trial = _Trial(str(len(self._trials)))
        params = self._searcher.suggest(trial.trial_id)
        assert params is not None  # it has no limit of its own
        self._scheduler.on_trial_add(None, trial)
        self._trials.append(trial)
        return Job(trial=len(self._trials) - 1, params=params)

    def reported(self, trial: int, report: Report) -> bool:
        """What ASHA decides."""
        result = {METRIC: report.value, "training_iteration": report.epoch}
        stopped = self._scheduler.on_trial_result(None, self._trials[trial], result) == TrialScheduler.STOP
        if not stopped:
            self._searcher.on_trial_result(str(trial), result)
        if stopped or report.final:
            self._complete(self._trials[trial], {**result, "done": True})
        return not stopped

    def _complete(self, trial: _Trial, result: dict[str, Any]) -> None:
        self._scheduler.on_trial_complete(None, trial, result)
        self._searcher.on_trial_complete(trial.trial_id, result)
