"""`python -m experiments.train`: train one model, validate it after every epoch, test the best one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from experiments import command_line
from experiments.judgement_report import print_judgement
from experiments.summary import DatasetSummary
from narm.baselines.baseline import Baseline
from narm.checkpoint import save_checkpoint
from narm.config import Config
from narm.config_file import OptionsFile, read_config
from narm.data.datasets import load_splits
from narm.data.sessions import Splits
from narm.device import DEVICES, resolve_device
from narm.errors import InputError
from narm.files import require_writable, write_text
from narm.judging import Judgement, judge
from narm.threads import set_threads, usable_cores
from narm.training import EpochResult, NonFiniteLoss, TrainingState, create_model, fit

EPILOG = """\
Any option of the model may be given: --learning_rate 5e-4 --n_layers 2 (see --help-options).
The command line wins over the config file, that over the defaults.

examples:
  python -m experiments.train --dataset ml-100k
  python -m experiments.train --dataset clicks.csv --loss_type BPR --train_neg_sample_args "{'sample_num': 4}"
  python -m experiments.train --dataset clicks.csv --model v_sknn --k_neighbors 200
  python -m experiments.train --checkpoint narm.pt --resume --json result.json

exit status: 0; 2 wrong usage, configuration or data; 3 the loss became infinite or NaN; 130 interrupted
"""
NON_FINITE = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Train a model.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, configuration or data.
    """
    given = _parser().parse_args(arguments)
    checkpoint = _checkpoint(given.checkpoint, given.resume)
    report = require_writable(Path(given.json)) if given.json else None
    file = read_config(Path(given.config)) if given.config else OptionsFile()
    flags = command_line.given_options(given)
    model = command_line.chosen_model(flags, file.values)
    file = file.for_model(model)
    config = Config.from_flat({**file.values, **flags, "model": model})
    resolve_device(given.device)
    say: Callable[[str], None] = _silent if given.quiet else print
    for note in file.notes:
        print(f"note: {note}", file=sys.stderr)

    set_threads(usable_cores() if given.threads is None else given.threads)
    splits = load_splits(config.data)
    _announce(splits, say)
    try:
        state = _train(config, splits, given.device, checkpoint, given.resume, say)
    except NonFiniteLoss as error:
        print(f"error: {error}", file=sys.stderr)
        return NON_FINITE
    test = _test(state, splits, config, Console(quiet=given.quiet))
    if report:
        write_text(report, json.dumps(_record(state, splits, config, test), indent=2, allow_nan=False) + "\n")
    return 0


def _train(
    config: Config, splits: Splits, device: str, checkpoint: Path | None, resume: bool, say: Callable[[str], None]
) -> TrainingState:
    """Train to the end; the model of the state then has the weights of the best epoch."""
    model = create_model(splits.n_items, config)
    size = "" if isinstance(model, Baseline) else f" of {model.n_parameters:,} parameters"
    say(f"{config.model.model}{size}, {torch.get_num_threads()} threads")
    resume_from = checkpoint if resume else None
    for epoch in fit(model, splits, config.training, config.evaluation, device=device, resume=resume_from):
        say(_line(epoch, config))
        if checkpoint:
            save_checkpoint(checkpoint, epoch.state, config=config, splits=splits)
    return epoch.state


def _test(state: TrainingState, splits: Splits, config: Config, console: Console) -> Judgement | None:
    if not len(splits.test):
        return None
    judgement = judge(state.model, splits, config.evaluation, seed=config.training.seed)
    heading = f"test, epoch {state.best_epoch or state.epoch}"
    print_judgement(judgement, console, heading=heading, objective=config.evaluation.valid_metric)
    return judgement


def _record(state: TrainingState, splits: Splits, config: Config, test: Judgement | None) -> dict[str, Any]:
    """What `--json` writes."""
    return {
        "dataset": asdict(DatasetSummary.of(splits, config.evaluation)),
        "config": config.flat(),
        "n_parameters": state.model.n_parameters,
        "epochs": state.history,
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


def _silent(_: str) -> None:
    """Say nothing."""


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


def _parser() -> command_line.Parser:
    parser = command_line.Parser(
        prog="python -m experiments.train", description="Train and test one model.", epilog=EPILOG
    )
    command_line.add_model(parser)
    parser.add_argument("--config", metavar="FILE", help="options as YAML, in our names or RecBole's")
    parser.add_argument("--checkpoint", metavar="FILE", help="save the run here after every epoch")
    parser.add_argument("--resume", action="store_true", help="go on from --checkpoint, bit for bit")
    parser.add_argument("--json", metavar="FILE", help="write the configuration, every epoch and the test metrics")
    parser.add_argument("--device", default="auto", metavar="|".join(DEVICES), help="where to compute (default: auto)")
    parser.add_argument("--threads", type=int, metavar="N", help="threads (default: the cores)")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    command_line.add_options(parser, skip=("model",))
    return parser


if __name__ == "__main__":
    sys.exit(command_line.run_command(main))
