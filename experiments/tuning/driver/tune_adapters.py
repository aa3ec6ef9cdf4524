"""Ray Tune's view of the studies: a searcher, a scheduler and a callback, each a few lines.

Every job, of a trial or of a finalist, is a trial of Ray's. What Ray's own OptunaSearch and schedulers would do
instead, and why that wastes trials, is explained in `docs/decisions/0004-own-searcher.md`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ray.tune import Callback
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from experiments.tuning.driver.dispatcher import Dispatcher, StudyJob
from experiments.tuning.engine.engine import Idle
from experiments.tuning.optimizer.scheduler import Decision
from experiments.tuning.worker.reports import JobFailure
from experiments.tuning.worker.tune_function import REPORT


class StudySearcher(Searcher):
    """Gives Ray the jobs of the studies."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        super().__init__()
        self._dispatcher = dispatcher

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:  # type: ignore[override]  # Ray's words for "done"
        """The next job; None: ask again later; or Ray's word for the end."""
        job = self._dispatcher.next_job()
        if isinstance(job, Idle):
            return None if job is Idle.WAIT else str(Searcher.FINISHED)
        return job.config

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Nothing: the study has settled it."""

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Nothing: the studies have it all already."""

    def restore_from_dir(self, checkpoint_dir: str) -> None:
        """Nothing, likewise."""

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Ray pickles its searcher to disk, and the address of a study may hold a password."""
        return {}


class StudyScheduler(FIFOScheduler):
    """Brings the studies what their jobs report, and Ray the decision."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._dispatcher = dispatcher

    def on_trial_result(self, controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """Whether the job goes on."""
        decision = self._dispatcher.report(StudyJob(**trial.config), result[REPORT])
        return TrialScheduler.CONTINUE if decision is Decision.CONTINUE else TrialScheduler.STOP

    def __getstate__(self) -> dict[str, Any]:
        """Nothing, as with the searcher."""
        return {}


_ANSI_COLOUR = re.compile(r"\x1b\[\d*m")


class FailureCallback(Callback):
    """Brings the studies what Ray alone knows to have failed: workers that died.

    An error in training is a report like any other, see `experiments.tuning.worker.tune_function`.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """A worker has died; a second attempt may end otherwise."""
        details = _ANSI_COLOUR.sub("", Path(trial.error_file).read_text()).strip()
        failure = JobFailure.from_text(details, worth_a_retry=True)
        self._dispatcher.report(StudyJob(**trial.config), failure)

    def __getstate__(self) -> dict[str, Any]:
        """Nothing, as with the searcher."""
        return {}
