"""Trains the model that a command line asks for, and prints how good it is."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch

from experiments.cli.exit_status import EXIT_NON_FINITE
from experiments.cli.flags import chosen_model, given_options
from experiments.cli.output import open_console, write_json
from experiments.reporting.epoch_line import EpochLine
from experiments.reporting.test_report import print_judgement
from experiments.tuning.driver.signals import heed_interrupts
from experiments.tuning.study.dataset import Dataset
from experiments.tuning.study.summary import DatasetSummary
from narm.baselines.baseline import Baseline
from narm.checkpoint import save_checkpoint
from narm.config import Config
from narm.config_file import OptionsFile, read_config
from narm.data.datasets import load_splits
from narm.data.sessions import Splits
from narm.errors import InputError
from narm.evaluation.test_report import TestReport, report_on_test
from narm.kernels.compile import compile_all
from narm.machine.capacity import usable_cores
from narm.machine.device import resolve_device
from narm.machine.files import require_writable
from narm.machine.threads import set_threads
from narm.pulse import Pulse
from narm.training import NonFiniteLoss, create_model, fit
from narm.training_state import EpochResult, TrainingState


def run_training(given: argparse.Namespace) -> int:
    """Train a model.

    Args:
        given: a command line, as `experiments.train` reads it.
    Returns:
        the exit status.
    Raises:
        InputError: wrong configuration or data.
    """
    checkpoint = _checkpoint(given.checkpoint, given.resume)
    console = open_console(given)
    file = read_config(Path(given.config)) if given.config else OptionsFile()
    flags = given_options(given)
    model = chosen_model(flags, file.values)
    file = file.for_model(model)
    config = Config.from_flat({**file.values, **flags, "model": model})
    resolve_device(given.device)
    say = partial(console.out, highlight=False)
    for note in file.notes:
        print(f"note: {note}", file=sys.stderr)

    set_threads(usable_cores() if given.threads is None else given.threads)
    splits = load_splits(config.data)
    _announce(splits, say)
    try:
        state = _train(config, splits, given.device, checkpoint, given.resume, EpochLine(console))
    except NonFiniteLoss as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_NON_FINITE
    test = _test(state, splits, config)
    write_json(given, json.dumps(_record(state, splits, config, test), indent=2, allow_nan=False) + "\n")
    if test is not None:
        heading = f"test, epoch {state.best_epoch or state.epoch}"
        print_judgement(test, console, heading=heading, objective=config.evaluation.valid_metric)
    return 0


def _train(
    config: Config, splits: Splits, device: str, checkpoint: Path | None, resume: bool, shown: EpochLine
) -> TrainingState:
    """Train to the end; the model of the state then has the weights of the best epoch."""
    model = create_model(splits.n_items, config)
    say = shown.say
    size = "" if isinstance(model, Baseline) else f" of {model.n_parameters:,} parameters"
    say(f"{config.model.model}{size}, {torch.get_num_threads()} threads")
    if not isinstance(model, Baseline) and resolve_device(device).type == "cpu":
        compile_all()
    heed_interrupts()
    resume_from = checkpoint if resume else None
    with shown:
        for epoch in fit(
            model,
            splits,
            config.training,
            config.evaluation,
            device=device,
            resume=resume_from,
            pulse=Pulse(shown.within_epoch, every=1.0),
        ):
            say(_line(epoch, config))
            if checkpoint:
                save_checkpoint(checkpoint, epoch.state, config=config, splits=splits)
            heed_interrupts()
    return epoch.state


def _test(state: TrainingState, splits: Splits, config: Config) -> TestReport | None:
    if not len(splits.test):
        return None
    return report_on_test(state.model, splits, config.evaluation, seed=config.training.seed)


def _record(state: TrainingState, splits: Splits, config: Config, test: TestReport | None) -> dict[str, Any]:
    """What `--json` writes."""
    return {
        "dataset": asdict(DatasetSummary.of(Dataset.of(splits, config))),
        "config": config.flat(),
        "n_parameters": state.model.n_parameters,
        "epochs": [epoch.record() for epoch in state.history],
        "best": {"epoch": state.best_epoch, "valid": state.best} if state.best_epoch else None,
        "test": None if test is None else test.as_json(),
    }


def _announce(splits: Splits, say: Callable[[str], None]) -> None:
    counts = " / ".join(f"{len(part):,}" for part in (splits.train, splits.valid, splits.test))
    say(f"{splits.name}: {splits.n_items - 1:,} items, {len(splits.train.sessions):,} training sessions, "
        f"{counts} targets to train / validate / test")  # fmt: skip
    for note in splits.notes:
        say(f"note: {note}")


def _line(epoch: EpochResult, config: Config) -> str:
    line = f"epoch {epoch.epoch}: {epoch.seconds:.1f} s"
    if epoch.train_loss is not None:
        line += f", loss {epoch.train_loss:.4f}"
    if epoch.valid:
        best = " *" if epoch.best_epoch == epoch.epoch else ""
        line += f", valid {config.evaluation.valid_metric} {epoch.valid[config.evaluation.objective]:.4f}{best}"
    if epoch.stopped_early:
        line += f"; no better since epoch {epoch.best_epoch}: stopping early"
    return line


def _checkpoint(name: str | None, resume: bool) -> Path | None:
    """The checkpoint to write; it must exist to be resumed, and must not to be begun."""
    if name is None:
        if resume:
            raise InputError("--resume needs --checkpoint FILE: the run to go on with")
        return None
    path = Path(name)
    if resume and not path.is_file():
        raise InputError(f"{path}: no such checkpoint to resume; leave --resume out to begin one")
    if not resume and path.exists():
        raise InputError(f"{path} exists: add --resume to go on with it, or name another file")
    return require_writable(path)
