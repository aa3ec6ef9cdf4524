"""Which training of which finalist comes next, what became of each, and which fail for good. Knows no Ray."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from experiments.tuning.engine.engine import Idle
from experiments.tuning.study.finalist_runs import FinalistRuns
from experiments.tuning.study.summary import FinalistFailure
from experiments.tuning.worker.jobs import Finalist, FinalistJob
from experiments.tuning.worker.reports import FinalistRun, JobFailure

logger = logging.getLogger(__name__)

ATTEMPTS = 2


@dataclass(slots=True)
class FinalistQueue:
    """Every finalist with every seed, as far as that is not done yet.

    The seeds go round: when it is interrupted, all finalists have been trained about equally often. A training that
    fails is tried a second time, from its checkpoint; so is one that was interrupted, by the next session.

    Args:
        finalists: what to train.
        seeds: seeds of the runs of each finalist.
        results: keeps the runs that are done, and has those of earlier sessions.
        on_done: called with each run at once, also with those done before. It must not raise.

    Attributes:
        runs: runs that are done, now or before.
        failures: runs that were given up.
    """

    finalists: Sequence[Finalist]
    seeds: Sequence[int]
    results: FinalistRuns
    on_done: Callable[[FinalistRun | FinalistFailure], None]
    runs: list[FinalistRun] = field(init=False, default_factory=list)
    failures: list[FinalistFailure] = field(init=False, default_factory=list)
    _waiting: deque[FinalistJob] = field(init=False, default_factory=deque)
    _running: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        for seed, finalist in product(self.seeds, self.finalists):
            run = self.results.read(finalist, seed)
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

    def failed(self, job: FinalistJob, failure: JobFailure) -> None:
        """Take the failure of a job: it is queued again, or has failed for good."""
        self._running -= 1
        if failure.worth_a_retry and job.attempt < ATTEMPTS:
            self._waiting.append(replace(job, attempt=job.attempt + 1))
            return
        given_up = FinalistFailure(number=job.finalist.number, seed=job.seed, reason=failure.reason)
        self.failures.append(given_up)
        self.on_done(given_up)

    def _keep(self, run: FinalistRun) -> None:
        try:
            self.results.write(run)
        except OSError as error:  # a full disk must not cost what is known
            logger.warning(
                "%s: the result of %s is not kept: %s", self.results.folder, run.finalist.label, error.strerror
            )
