"""The function that Ray Tune runs in a worker: it does one job, and reports as it goes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ray import tune

from experiments.tuning.worker.finalist_training import train_finalist
from experiments.tuning.worker.jobs import FinalistJob, Job, RefitJob, ShippingJob, Training, TrialJob
from experiments.tuning.worker.refitting import refit_run
from experiments.tuning.worker.reports import JobFailure, Report
from experiments.tuning.worker.shipping import make_shippable
from experiments.tuning.worker.trial_training import measure_trial, train_trial
from narm.data.sessions import Splits
from narm.machine.threads import set_threads
from narm.pulse import Pulse

REPORT = "report"
"""Key of a `Report` in what is reported to Tune."""

HEARTBEAT = 15.0
"""Seconds between two reports within an epoch. Training waits for the driver to take one: some milliseconds."""


def train(config: Mapping[str, Any], *, splits: Splits, trainings: Sequence[Training]) -> None:
    """Do a job of any of the studies; the worker stays for the next one.

    Ends when the job does, or when Ray stops it at a report.

    Args:
        config: `study`, an index into the trainings, and `job`, a `Job`.
        splits: shared by all, read only.
        trainings: how the jobs of each study are trained.
    """

    def report(report: Report) -> None:
        tune.report({REPORT: report})

    pulse = Pulse(report, every=HEARTBEAT)
    for each in run_job(config["job"], splits, trainings[config["study"]], pulse):
        report(each)


def run_job(job: Job, splits: Splits, training: Training, pulse: Pulse | None = None) -> Iterator[Report]:
    """Do a job, from its checkpoint if it trains; a failure is its last report.

    Args:
        job: what to do.
        splits: the data.
        training: how.
        pulse: reports within a long epoch.
    """
    set_threads(training.threads)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            match job:
                case TrialJob():
                    if job.measure:
                        yield measure_trial(job, splits, training)
                    yield from train_trial(job, splits, training, Path(scratch), pulse)
                case FinalistJob():
                    yield from train_finalist(job, splits, training, Path(scratch), pulse)
                case RefitJob():
                    yield from refit_run(job, splits, training, Path(scratch))
                case ShippingJob():
                    yield make_shippable(job, splits, training, Path(scratch))
    except Exception as error:
        yield JobFailure.of(error)
