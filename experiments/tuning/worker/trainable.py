"""A job as a Ray Tune function: of a trial, `narm.training.fit`, an epoch a report; of a finalist, its run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from ray import tune

from experiments.tuning.worker.checkpoints import CheckpointStore, trial_checkpoint
from experiments.tuning.worker.finalists import FinalistJob, FinalistRun, train_finalist
from experiments.tuning.worker.jobs import Training, TrialJob
from experiments.tuning.worker.reports import EpochReport
from narm.checkpoint import read_checkpoint, save_checkpoint
from narm.config import Config, EvaluationConfig
from narm.data.sessions import Splits
from narm.machine.threads import set_threads
from narm.training import create_model, fit, is_last

REPORT = "report"
"""Key of what a job reports to Tune: of a trial an `EpochReport`; of a finalist the epochs trained, at last its run."""

History = Sequence[Mapping[str, Any]]
"""`TrainingState.history`."""


def train(job: Mapping[str, Any], *, splits: Splits, trainings: Sequence[Training]) -> None:
    """Train a job and report as it goes, whichever study it is of: the worker stays for the next one.

    Ends when the job does, or when Ray stops it at a report.

    Args:
        job: `study`, an index into the trainings, and `job`, a `TrialJob` or a `FinalistJob`.
        splits: shared by all, read only.
        trainings: of the studies.
    """
    for report in job_reports(job, splits=splits, trainings=trainings):
        tune.report({REPORT: report})


def job_reports(
    job: Mapping[str, Any], *, splits: Splits, trainings: Sequence[Training]
) -> Iterator[EpochReport | FinalistRun | int]:
    """Train a job, from its checkpoint, and tell of each epoch, and of a finalist's run; arguments as of `train`."""
    job, training = job["job"], trainings[job["study"]]
    set_threads(training.threads)
    common = {"splits": splits, "config": training.config, "device": training.device}
    if isinstance(job, FinalistJob):
        yield from train_finalist(job.finalist, job.seed, checkpoints=training.finalist_checkpoints, **common)
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield from reports(cast("TrialJob", job), checkpoints=training.checkpoints, scratch=Path(scratch), **common)


def reports(
    job: TrialJob, *, splits: Splits, config: Config, device: str, checkpoints: CheckpointStore, scratch: Path
) -> Iterator[EpochReport]:
    """Train a trial on from its checkpoint, writing the next one before each epoch is told.

    Tells of every epoch that the study does not know of, those of earlier jobs among them, but of none before the first
    validation: there is no value yet to judge it by.

    Args:
        job: what to train.
        splits: the data.
        config: of the study.
        device: auto, cpu or cuda.
        checkpoints: of the study's trials.
        scratch: folder for a copy of a checkpoint that is kept elsewhere.
    """
    config = config.replace({**job.options, "seed": job.seed})
    model = create_model(splits.n_items, config)
    resume = checkpoints.fetch(trial_checkpoint(job.number), scratch)
    if resume is not None:
        known = _reports_of(read_checkpoint(resume)["history"], config)
        yield from (report for report in known if report.epoch > job.epochs or report.final)
        if known and known[-1].final:
            return
    inherit = None
    if resume is None and job.parent is not None:
        inherit = checkpoints.fetch(trial_checkpoint(job.parent), scratch)
    for result in fit(model, splits, config.training, config.evaluation, device=device, resume=resume, inherit=inherit):
        write = partial(save_checkpoint, state=result.state, config=config, splits=splits)
        checkpoints.save(trial_checkpoint(job.number), write)
        yield from _reports_of(result.state.history, config)[-1:]


def _reports_of(history: History, config: Config) -> list[EpochReport]:
    """A report for each epoch since the first validation."""
    valid = {epoch["epoch"]: epoch["valid"] for epoch in history}
    seconds, made = 0.0, []
    for epoch in history:
        seconds += epoch["seconds"]
        if epoch["best_epoch"]:
            best = valid[epoch["best_epoch"]]
            made.append(_report(epoch, best, seconds, config))
    return made


def _report(epoch: Mapping[str, Any], best: dict[str, float], seconds: float, config: Config) -> EpochReport:
    evaluation: EvaluationConfig = config.evaluation
    return EpochReport(
        epoch=epoch["epoch"],
        value=best[evaluation.objective],
        valid=epoch["valid"],
        best=best,
        best_epoch=epoch["best_epoch"],
        train_loss=epoch["train_loss"],
        seconds=epoch["seconds"],
        total_seconds=seconds,
        targets_per_second=epoch["targets_per_second"],
        n_parameters=epoch["n_parameters"],
        stopped_early=epoch["stopped_early"],
        final=is_last(epoch, config.training),
    )
