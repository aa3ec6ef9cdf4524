"""Schedulers by name: which trials stop before their last epoch.

All judge the best value so far, larger is better, against the epoch; none of them stops the default configuration,
since a baseline is worth having only when it is trained to its end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from ray.tune.experiment import Trial
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, MedianStoppingRule, TrialScheduler

REDUCTION = 3  # Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020: 3 or 4
BRACKETS = 3
MEDIAN_OF = 3  # a median of fewer says nothing


class _Asha(AsyncHyperBandScheduler):
    """ASHA, or Hyperband with several brackets."""

    def on_trial_add(self, controller: Any, trial: Trial) -> None:
        """Draw a trial's bracket from its own seed: Ray draws it from numpy's global state, unseeded."""
        super().on_trial_add(controller, trial)
        rungs = np.array([len(bracket._rungs) for bracket in self._brackets], dtype=float)
        odds = np.exp(rungs - rungs.max())
        bracket = np.random.default_rng(trial.config["seed"]).choice(len(rungs), p=odds / odds.sum())
        self._trial_info[trial.trial_id] = self._brackets[bracket]

    def on_trial_result(self, controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """As ASHA, but the default configuration goes on; its values still count when others are judged."""
        decision: str = super().on_trial_result(controller, trial, result)
        return TrialScheduler.CONTINUE if trial.config["spared"] else decision


class _Median(MedianStoppingRule):
    """The median stopping rule, which never pauses and never stops the default configuration."""

    def on_trial_result(self, controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """As the median rule, but the default configuration goes on."""
        decision: str = super().on_trial_result(controller, trial, result)
        if trial.config["spared"]:
            self._stopped_trials.discard(trial)
            return TrialScheduler.CONTINUE
        return decision


_JUDGED_BY: dict[str, Any] = {"time_attr": "epoch", "metric": "value", "mode": "max"}


def grace_period(epochs: int) -> int:
    """Epochs that every trial is given: two reductions below the last epoch."""
    return max(1, epochs // REDUCTION**2)


def asha(epochs: int) -> TrialScheduler:
    """Asynchronous successive halving: at a ninth and a third of the epochs the best third goes on."""
    return _Asha(max_t=epochs, grace_period=grace_period(epochs), reduction_factor=REDUCTION, **_JUDGED_BY)


def hyperband(epochs: int) -> TrialScheduler:
    """Hyperband, asynchronously: brackets of ASHA that differ in how many epochs every trial is given.

    Ray's synchronous Hyperband pauses whole brackets, so that slots stand idle while the last trial of one runs.
    """
    return _Asha(
        max_t=epochs, grace_period=grace_period(epochs), reduction_factor=REDUCTION, brackets=BRACKETS, **_JUDGED_BY
    )


def median(epochs: int) -> TrialScheduler:
    """The median stopping rule (Golovin et al., "Google Vizier", KDD 2017)."""
    return _Median(
        grace_period=grace_period(epochs),
        min_samples_required=MEDIAN_OF,
        min_time_slice=math.inf,  # type: ignore[arg-type]  # Ray would pause a trial while another waits; ours have no Ray checkpoints
        **_JUDGED_BY,
    )


def none(epochs: int) -> TrialScheduler:
    """Every trial runs to its own end."""
    return FIFOScheduler()  # type: ignore[no-untyped-call]


SCHEDULERS: dict[str, Callable[[int], TrialScheduler]] = {
    "asha": asha,
    "hyperband": hyperband,
    "median": median,
    "none": none,
}
