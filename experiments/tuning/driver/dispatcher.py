"""Several studies on the workers of one Ray: the next one begins when the others leave a slot empty.

So the workers, which take seconds to start, stay from the first job to the last, finalists included; and no slot is
empty while a study waits for its last trials.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from experiments.tuning.driver.study_run import StudyRun
from experiments.tuning.engine.engine import Idle
from experiments.tuning.optimizer.scheduler import Decision
from experiments.tuning.worker.jobs import Job
from experiments.tuning.worker.reports import Report


@dataclass(frozen=True, slots=True)
class StudyJob:
    """A job of one of the studies.

    Attributes:
        study: its index.
        job: what to train.
    """

    study: int
    job: Job

    @property
    def config(self) -> dict[str, Any]:
        """The job as the config of a trial of Ray Tune, which hands it to a worker."""
        return {"study": self.study, "job": self.job}


@dataclass(slots=True)
class Dispatcher:
    """Asks the studies for jobs, in their order, and routes each report to the study that it is from.

    Ray Tune loses or wraps what is raised within it: an error is kept here, and ends the training.

    Args:
        begin: begins each study, in this order.

    Attributes:
        begun: the studies that have begun.
    """

    begin: Sequence[Callable[[], StudyRun]]
    begun: list[StudyRun] = field(init=False, default_factory=list)
    _is_interrupted: bool = field(init=False, default=False)
    _error: Exception | None = field(init=False, default=None)

    def begin_next(self) -> None:
        """Begin a study, whether or not there is a slot for it."""
        self.begun.append(self.begin[len(self.begun)]())

    def next_job(self) -> StudyJob | Idle:
        """The next job: of the earliest study that has one."""
        if self.may_end:
            return Idle.DONE
        try:
            return self._next_job()
        except Exception as error:
            self._error = error
            return Idle.DONE

    def _next_job(self) -> StudyJob | Idle:
        idle = Idle.DONE
        for index in range(len(self.begin)):
            if index == len(self.begun):
                self.begin_next()
            job = self.begun[index].next_job()
            if not isinstance(job, Idle):
                return StudyJob(index, job)
            idle = Idle.WAIT if job is Idle.WAIT else idle
        return idle

    def report(self, job: StudyJob, report: Report) -> Decision:
        """Take a report of a job; whether the job goes on."""
        if self._error is not None:
            return Decision.STOP
        try:
            return self.begun[job.study].report(job.job, report)
        except Exception as error:
            self._error = error
            return Decision.STOP

    def interrupt(self) -> None:
        """End every study: no job is begun any more."""
        self._is_interrupted = True

    def check_deadlines(self) -> None:
        """End the search of every study whose time is over."""
        for run in self.begun:
            run.check_deadline()

    @property
    def may_end(self) -> bool:
        """Whether no job in flight is worth waiting for: Ray Tune may end at once."""
        if self._error is not None or self._is_interrupted:
            return True
        return len(self.begun) == len(self.begin) and all(run.may_end for run in self.begun)

    def settle(self) -> bool:
        """Take the end of a run of Ray Tune, with what was in flight; whether there is more to train.

        Raises:
            Exception: what ended it, if that was an error.
        """
        if self._error is not None:
            raise self._error
        for run in self.begun:
            run.settle(is_interrupted=self._is_interrupted)
        is_over = len(self.begun) == len(self.begin) and all(run.result is not None for run in self.begun)
        return not (self._is_interrupted or is_over)

    def abandon(self, error: BaseException) -> None:
        """Leave every study that is not over as one that can go on, because of an error."""
        for run in self.begun:
            run.abandon(error)
