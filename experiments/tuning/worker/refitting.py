"""Trains a run that ships once more, from the start, on what was held out too: its own seed and number of epochs.

Early stopping has nothing left to judge by, so training ends after the epochs that it found best. An epoch is a pass
over the sessions, or an equal part of one, and there are more sessions now: it takes as many passes, and more steps.
A schedule of the step size runs as it did, and is broken off where it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from experiments.tuning.worker.finalist_training import finalist_config, run_checkpoint, train_run
from experiments.tuning.worker.jobs import RefitJob, Training
from experiments.tuning.worker.reports import RefitRun
from narm.data.refit import take_in
from narm.data.sessions import Splits
from narm.training_state import EpochResult


def refit_run(job: RefitJob, splits: Splits, training: Training, scratch: Path) -> Iterator[EpochResult | RefitRun]:
    """Train a run again, from the checkpoint of this training where there is one.

    Args:
        job: which run, for how many epochs, and on what.
        splits: the data, as they were for the choice.
        training: how.
        scratch: folder for a copy of a checkpoint that is kept elsewhere.
    Yields:
        every epoch; at last the run.
    Raises:
        NonFiniteLoss: training diverged.
    """
    name = run_checkpoint(job.finalist, job.seed, job.refit)
    config = finalist_config(job.finalist, job.seed, training.config).replace({"eval_step": 0})
    yield from train_run(name, config, take_in(splits, job.refit), training, scratch, epochs=job.epochs)
    yield RefitRun(seed=job.seed, epochs=job.epochs)
