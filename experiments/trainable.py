"""A leg of a trial as a Ray Tune function: `narm.training.fit`, an epoch a report."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ray import tune

from experiments.checkpoints import CheckpointStore, trial_checkpoint
from experiments.epoch_report import EpochReport
from experiments.leg import Leg
from narm.checkpoint import read_checkpoint, save_checkpoint
from narm.config import Config, EvaluationConfig
from narm.data.sessions import Splits
from narm.threads import set_threads
from narm.training import create_model, fit, is_last

History = Sequence[Mapping[str, Any]]
"""`TrainingState.history`."""


def train_leg(
    leg: dict[str, Any], *, splits: Splits, config: Config, threads: int, device: str, checkpoints: CheckpointStore
) -> None:
    """Train a trial on from its checkpoint, writing the next one and then reporting after every epoch.

    Ends when the trial does, or when Ray stops it on the scheduler's word. Epochs before the first validation are not
    reported: there is no value yet to judge them by.

    Args:
        leg: the fields of a `Leg`.
        splits: shared by all trials, read only.
        config: of the study; the trial changes its options and seed.
        threads: for torch and the kernels.
        device: auto, cpu or cuda.
        checkpoints: of the study's trials.
    """
    set_threads(threads)
    with tempfile.TemporaryDirectory() as scratch:
        for report in reports(
            Leg(**leg),
            splits=splits,
            config=config,
            device=device,
            checkpoints=checkpoints,
            scratch=Path(scratch),
        ):
            tune.report({"report": report})


def reports(
    leg: Leg, *, splits: Splits, config: Config, device: str, checkpoints: CheckpointStore, scratch: Path
) -> Iterator[EpochReport]:
    """Train, and tell of each epoch that the study does not know of, those of earlier legs among them.

    Args:
        leg: what to train.
        splits: the data.
        config: of the study.
        device: auto, cpu or cuda.
        checkpoints: of the study's trials.
        scratch: folder for a copy of a checkpoint that is kept elsewhere.
    """
    config = config.replace({**leg.options, "seed": leg.seed})
    model = create_model(splits.n_items, config)
    resume = checkpoints.fetch(trial_checkpoint(leg.number), scratch)
    if resume is not None:
        known = _reports_of(read_checkpoint(resume)["history"], config)
        yield from (report for report in known if report.epoch > leg.epochs or report.final)
        if known and known[-1].final:
            return
    inherit = None
    if resume is None and leg.parent is not None:
        inherit = checkpoints.fetch(trial_checkpoint(leg.parent), scratch)
    for result in fit(model, splits, config.training, config.evaluation, device=device, resume=resume, inherit=inherit):
        write = partial(save_checkpoint, state=result.state, config=config, splits=splits)
        checkpoints.save(trial_checkpoint(leg.number), write)
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
