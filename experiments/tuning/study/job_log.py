"""When the jobs of a search's trials began and ended, and in which worker each ran.

The driver appends a line to `jobs.jsonl` in the study's folder when it starts a job of a trial, when a report of an
epoch reaches it, and when a job ends otherwise; a report carries the seconds that its worker measured for the epoch,
validation included.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

FILE = "jobs.jsonl"
"""In the folder of a study."""


@dataclass(slots=True)
class JobTimes:
    """When a job of a trial began, and what it reported; seconds since 1970.

    Attributes:
        number: number of the trial.
        start: when the driver started the job.
        is_first: whether it is the first job of its trial.
        reports: arrival of each epoch's report, and the seconds that the epoch took.
        epochs: the epochs that were reported.
        given_up: when it ended without a report; None: it did not, or nobody recorded it.
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
        """The last report; without one, when the job was given up."""
        return self.reports[-1][0] if self.reports else self.given_up or self.start

    @property
    def training(self) -> float:
        """Seconds of all its epochs."""
        return sum(seconds for _, seconds in self.reports)


class JobLog:
    """Writes the log of a study; a full disk costs lines of it, and not the search.

    Args:
        folder: the study's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def session(self) -> None:
        """A session of the search begins: jobs of an earlier one have ended, whenever that was."""
        self._append({"event": "session"})

    def start(self, number: int) -> None:
        """A job of a trial starts."""
        self._append({"event": "start", "trial": number})

    def epoch(self, number: int, epoch: int, seconds: float) -> None:
        """A report of a trial's epoch has arrived."""
        self._append({"event": "epoch", "trial": number, "epoch": epoch, "seconds": seconds})

    def end(self, number: int) -> None:
        """The job of a trial has ended, with a report or without."""
        self._append({"event": "end", "trial": number})

    def _append(self, entry: dict[str, Any]) -> None:
        try:
            with self._path.open("a") as file:
                file.write(json.dumps({"time": round(time.time(), 3), **entry}) + "\n")
        except OSError as error:
            logger.warning("%s: a line is lost: %s", self._path, error.strerror)


def read_jobs(entries: Iterable[Mapping[str, Any]]) -> list[JobTimes]:
    """The jobs of a search, in the order of their start, without those that left no further trace."""
    jobs: list[JobTimes] = []
    latest: dict[int, JobTimes] = {}
    begun: set[int] = set()
    for entry in entries:
        number = entry.get("trial")
        if entry["event"] == "session":
            latest.clear()
        elif entry["event"] == "start":
            job = JobTimes(entry["trial"], entry["time"], is_first=number not in begun)
            jobs.append(job)
            latest[job.number] = job
            begun.add(job.number)
        elif number in latest:
            _add(latest[number], entry)
    return [job for job in jobs if job.reports or job.given_up]


def _add(job: JobTimes, entry: Mapping[str, Any]) -> None:
    if entry["event"] == "epoch":
        job.reports.append((entry["time"], entry["seconds"]))
        job.epochs.append(entry["epoch"])
    elif not job.reports:
        job.given_up = entry["time"]


def jobs_in(folder: Path) -> list[JobTimes]:
    """The jobs of a study; none where it has no log, as studies of version 0.1 have none.

    Args:
        folder: the study's folder.
    """
    try:
        lines = (folder / FILE).read_text().splitlines()
    except OSError:
        return []
    return read_jobs(_entries(lines))


def _entries(lines: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:  # cut by a crash, or being written just now
            continue


def workers(jobs: Sequence[JobTimes]) -> list[int]:
    """The worker of each job, from 0: of those that are free the one that has been free longest, else a new one.

    Nobody records where a job ran, so that this is the simplest story that fits the times.

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
