"""Callbacks for trial events."""

from __future__ import annotations

from typing import Literal, Protocol

from optuna.trial import FrozenTrial

from experiments.tuning.study.storage import StoredTrial
from experiments.tuning.worker.jobs import TrialJob
from narm.training_state import EpochResult

Pause = Literal["PAUSED", "FAILED", "INTERRUPTED"]
"""Why a trial waits: the scheduler paused it, it failed and is retried, the search ended."""


class Callbacks(Protocol):
    """Called when something happens to a trial. They must not raise: that would end the search."""

    def on_trial_start(self, job: TrialJob, origin: str) -> None:
        """A job of a trial begins; `origin` says where its configuration came from."""

    def on_epoch(self, number: int, result: EpochResult) -> None:
        """A trial has trained an epoch; called before the study has it, so that none is missing after a crash."""

    def on_trial_pause(self, number: int, why: Pause, reason: str) -> None:
        """A trial is paused, awaits a retry, or was interrupted."""

    def before_trial_end(self, trial: StoredTrial) -> None:
        """A trial is about to reach a final state, after which its attributes cannot be changed."""

    def on_trial_end(self, trial: FrozenTrial) -> None:
        """A trial reached a final state."""
