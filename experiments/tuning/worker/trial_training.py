"""Trains a trial, from its latest checkpoint to its next one, an epoch at a time; before, measures what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from experiments.tuning.worker.checkpoints import trial_checkpoint
from experiments.tuning.worker.jobs import Training, TrialJob
from narm.checkpoint import read_checkpoint, save_checkpoint
from narm.config import Config
from narm.data.sessions import Splits
from narm.footprint import Costs, measure_untrained
from narm.pulse import Pulse
from narm.training import create_model, fit
from narm.training_state import EpochResult, read_history


def train_trial(
    job: TrialJob, splits: Splits, training: Training, scratch: Path, pulse: Pulse | None = None
) -> Iterator[EpochResult]:
    """Train a trial on from its checkpoint, writing the next one before each epoch is reported.

    Yields every epoch that the study does not know of, those of earlier jobs among them, but none before the first
    validation: there is no value yet to compare it by.

    Args:
        job: what to train.
        splits: the data.
        training: how.
        scratch: folder for a copy of a checkpoint that is kept elsewhere.
        pulse: says how far an epoch has come.
    """
    checkpoints, config = training.checkpoints, _config(job, training)
    model = create_model(splits.n_items, config)
    resume = checkpoints.fetch(trial_checkpoint(job.number), scratch)
    if resume is not None:
        known = read_history(read_checkpoint(resume)["history"], config.training)
        yield from (epoch for epoch in known if epoch.best_epoch and (epoch.epoch > job.epochs or epoch.is_last))
        if known and known[-1].is_last:
            return
    inherit = None
    if resume is None and job.parent is not None:
        inherit = checkpoints.fetch(trial_checkpoint(job.parent), scratch)
    for epoch in fit(
        model,
        splits,
        config.training,
        config.evaluation,
        device=training.device,
        resume=resume,
        inherit=inherit,
        pulse=pulse,
    ):
        write = partial(save_checkpoint, state=epoch.state, config=config, splits=splits)
        checkpoints.save(trial_checkpoint(job.number), write)
        if epoch.best_epoch:
            yield epoch.state.history[-1]


def measure_trial(job: TrialJob, splits: Splits, training: Training) -> Costs:
    """What the model of a trial costs, whatever it learns.

    Args:
        job: the trial.
        splits: the data.
        training: how it would be trained, and on which device it is asked.
    """
    return measure_untrained(_config(job, training), splits, device=training.device)


def _config(job: TrialJob, training: Training) -> Config:
    return training.config.replace({**job.options, "seed": job.seed})
