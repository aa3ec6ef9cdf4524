"""Which training of which finalist comes next, what became of each, and which fail for good. Knows no Ray."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

from experiments.tuning.engine.engine import Idle
from experiments.tuning.study.summary import FinalistFailure
from experiments.tuning.worker.finalists import Finalist, FinalistJob, FinalistRun, read_run, write_run
from narm.config import Config
from narm.data.sessions import Splits

logger = logging.getLogger(__name__)

ATTEMPTS = 2


@dataclass(slots=True)
class FinalistQueue:
    """Every finalist with every seed, as far as that is not done yet.

    The seeds go round: when it is interrupted, all finalists have been trained about equally often. A training that
    fails is tried a second time, from its checkpoint; so is one that was interrupted, by the next session.

    Args:
        finalists: what to train.
        seeds: of the runs of each finalist.
        splits: the data.
        config: of the study.
        folder: of the results.
        on_done: is told of each run at once, also of those done before. It must not raise.

    Attributes:
        runs: those done, now or before.
        failures: those given up.
    """

    finalists: Sequence[Finalist]
    seeds: Sequence[int]
    splits: Splits
    config: Config
    folder: Path
    on_done: Callable[[FinalistRun | FinalistFailure], None]
    runs: list[FinalistRun] = field(init=False, default_factory=list)
    failures: list[FinalistFailure] = field(init=False, default_factory=list)
    _waiting: deque[FinalistJob] = field(init=False, default_factory=deque)
    _running: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        for seed, finalist in product(self.seeds, self.finalists):
            run = read_run(self.folder, finalist, seed, splits=self.splits, config=self.config)
            if run is None:
                self._waiting.append(FinalistJob(finalist, seed))
            else:
                self.runs.append(run)
                self.on_done(run)

    def next_job(self) -> FinalistJob | Idle:
        """What to train next."""
        if not self._waiting:
            return Idle.WAIT if self._running else Idle.DONE
        self._running += 1
        return self._waiting.popleft()

    def trained(self, run: FinalistRun) -> None:
        """Take the result of a job."""
        self._running -= 1
        self._keep(run)
        self.runs.append(run)
        self.on_done(run)

    def failed(self, job: FinalistJob, reason: str, *, worth_a_retry: bool = True) -> None:
        """Take the failure of a job: it is queued again, or has failed for good.

        Args:
            job: that failed.
            reason: in one line.
            worth_a_retry: whether a second attempt could end otherwise.
        """
        self._running -= 1
        if worth_a_retry and job.attempt < ATTEMPTS:
            self._waiting.append(replace(job, attempt=job.attempt + 1))
            return
        failure = FinalistFailure(number=job.finalist.number, seed=job.seed, reason=reason)
        self.failures.append(failure)
        self.on_done(failure)

    def _keep(self, run: FinalistRun) -> None:
        try:
            write_run(self.folder, run, splits=self.splits, config=self.config)
        except OSError as error:  # a full disk must not cost what is known
            logger.warning("%s: the result of %s is not kept: %s", self.folder, run.finalist.label, error.strerror)
