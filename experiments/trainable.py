"""One trial as a Ray Tune function: `narm.training.fit`, an epoch a report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from ray import tune

from narm.checkpoint import save_checkpoint
from narm.config import Config
from narm.data.sessions import Splits
from narm.threads import set_threads
from narm.training import EpochResult, create_model, fit


class TrialConfig(TypedDict):
    """What the searcher decides of a trial.

    Attributes:
        number: of the trial in its study.
        seed: of its training.
        options: config options that its parameters stand for.
        spared: whether no scheduler may stop it.
    """

    number: int
    seed: int
    options: dict[str, object]
    spared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochReport:
    """What an epoch of a trial brought, as it travels from the worker to the searcher.

    Attributes:
        epoch: epochs trained so far, from 1.
        value: the objective, the best so far.
        valid: validation metrics of this epoch; None where `eval_step` skips it.
        best: validation metrics of the best epoch so far.
        best_epoch: which that was.
        train_loss: mean over the targets.
        seconds: wall clock of the epoch.
        targets_per_second: training speed.
        stopped_early: whether the trial's own early stopping ends it here.
        final: whether the trial ends here of its own accord.
    """

    epoch: int
    value: float
    valid: dict[str, float] | None
    best: dict[str, float]
    best_epoch: int
    train_loss: float
    seconds: float
    targets_per_second: float
    stopped_early: bool
    final: bool


def checkpoint_path(directory: Path, number: int) -> Path:
    """Where the checkpoint of a trial stands, the latest only."""
    return directory / f"{number:04d}.pt"


def train_trial(
    trial: TrialConfig, *, splits: Splits, config: Config, threads: int, device: str, checkpoints: Path
) -> None:
    """Train a trial, writing its checkpoint and then reporting after every epoch.

    Epochs before the first validation are not reported: there is no value yet to judge them by.

    Args:
        trial: what is particular to it.
        splits: shared by all trials, read only.
        config: of the study; the trial changes its options and seed.
        threads: for torch and the kernels.
        device: auto, cpu or cuda.
        checkpoints: directory.
    """
    set_threads(threads)
    config = config.replace({**trial["options"], "seed": trial["seed"]})
    model = create_model(splits.n_items, config)
    for result in fit(model, splits, config.training, config.evaluation, device=device):
        if not result.best:
            continue
        save_checkpoint(checkpoint_path(checkpoints, trial["number"]), result.state, config=config, splits=splits)
        report = _report(result, config)
        # The scheduler reads the first two, the searcher the third.
        tune.report({"epoch": report.epoch, "value": report.value, "report": report})


def _report(result: EpochResult, config: Config) -> EpochReport:
    return EpochReport(
        epoch=result.epoch,
        value=result.best[config.evaluation.objective],
        valid=result.valid,
        best=result.best,
        best_epoch=result.best_epoch,
        train_loss=result.train_loss,
        seconds=result.seconds,
        targets_per_second=result.targets_per_second,
        stopped_early=result.stopped_early,
        final=result.stopped_early or result.epoch == config.training.epochs,
    )
