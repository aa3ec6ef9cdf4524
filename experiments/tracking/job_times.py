"""When the jobs of a search's trials began and ended, as its outbox has noted; and in which worker each ran.

The driver notes the moment at which it starts a job of a trial, and at which each epoch's report reaches it; a report
carries the seconds that its worker measured for the epoch, validation included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from experiments.tracking.mlflow_writer import STUDY_RUN
from experiments.tracking.outbox import Update
from experiments.tuning.study.folder import OUTBOX


@dataclass(slots=True)
class JobTimes:
    """When a job of a trial began, and what it reported; seconds since 1970.

    Attributes:
        number: of the trial.
        start: the driver's decision.
        is_first: whether it is the first of its trial.
        reports: arrival of each epoch's report, and the seconds that the epoch took.
        epochs: that were reported.
        given_up: when it ended without a report; None: it did not, or nobody noted it.
    """

    number: int
    start: float
    is_first: bool
    reports: list[tuple[float, float]] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)
    given_up: float | None = None

    @property
    def first_step(self) -> float:
        """When training began."""
        arrival, seconds = self.reports[0]
        return arrival - seconds

    @property
    def end(self) -> float:
        """The last report; without one, when it was given up."""
        return self.reports[-1][0] if self.reports else self.given_up or self.start

    @property
    def training(self) -> float:
        """Seconds of all epochs."""
        return sum(seconds for _, seconds in self.reports)


def read_jobs(updates: Iterable[Update]) -> list[JobTimes]:
    """The jobs of a search, in the order of their start; one of which nothing more is known is none."""
    jobs: list[JobTimes] = []
    latest: dict[str, JobTimes] = {}
    begun: set[str] = set()
    for update in updates:
        if update.run == STUDY_RUN and update.status == "RUNNING":
            latest.clear()  # another session: what the last one left open ended with it, whenever that is noted
        elif update.status == "RUNNING" and update.run.isdecimal():
            job = JobTimes(int(update.run), update.time / 1000, is_first=update.run not in begun)
            jobs.append(job)
            latest[update.run] = job
            begun.add(update.run)
        elif update.run in latest:
            _note(latest[update.run], update)
    return [job for job in jobs if job.reports or job.given_up]


def _note(job: JobTimes, update: Update) -> None:
    if "epoch_seconds" in update.metrics:
        job.reports.append((update.time / 1000, update.metrics["epoch_seconds"]))
        job.epochs.append(update.step)
    elif update.status is not None and not job.reports:
        job.given_up = update.time / 1000


def jobs_in(folder: Path) -> list[JobTimes]:
    """The jobs of a study; none where its outbox is not there.

    Args:
        folder: of the study.
    """
    try:
        lines = (folder / OUTBOX).read_bytes().splitlines()
    except OSError:
        return []
    return read_jobs(_updates(lines[1:]))  # behind the header


def _updates(lines: Iterable[bytes]) -> Iterator[Update]:
    for line in lines:
        try:
            yield Update.from_line(line)
        except (ValueError, TypeError):  # cut by a crash, or being written just now
            continue


def workers(jobs: Sequence[JobTimes]) -> list[int]:
    """The worker of each job, from 0: of those that are free, the one that has been so longest, else a new one.

    Nobody notes where a job ran, so that this is the simplest story that fits the times.

    Args:
        jobs: in the order of their start.
    """
    free_since: list[float] = []
    found = []
    for job in jobs:
        idle = [worker for worker, since in enumerate(free_since) if since <= job.start]
        worker = min(idle, key=free_since.__getitem__, default=len(free_since))
        free_since[worker : worker + 1] = [job.end]
        found.append(worker)
    return found
