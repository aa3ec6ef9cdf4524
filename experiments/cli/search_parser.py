"""The flags of `experiments.search`. Imports names alone, so that `--help` is quick."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from experiments.cli.flags import add_model, add_options, add_studies_folder
from experiments.cli.output import add_output_flags
from experiments.cli.parser import Parser
from experiments.cli.presets import DEFAULT_PRESET, PRESETS, Preset
from experiments.tuning.optimizer.names import SAMPLER_NAMES, SCHEDULER_NAMES
from narm.machine.device import DEVICES

EPILOG = """\
presets:
{presets}

Any option of the model may be given too, and is then fixed for the search: --train_batch_size 512 (see --help-options).
The command line wins over the config file, that over the preset, that over the defaults; with --resume the study's own
settings take the place of preset and defaults.

examples:
  python -m experiments.search                                   ml-100k, RecBole's space, minutes
  python -m experiments.search --dataset clicks.csv --space mine.yaml --objective Recall@20 --trials 50
  python -m experiments.search --dataset clicks.csv --model v_sknn
  python -m experiments.search --preset full --time-budget 2h --json > summary.json
  python -m experiments.search --resume ml-100k-recbole-20260102-030405 --trials 40

exit status: 0; 2 wrong usage, configuration or data; 3 every trial failed; 130 interrupted, --resume goes on
"""


def build_parser() -> Parser:
    """Every flag. Those that a study to resume or a preset may answer have no default here."""
    presets = "\n".join(f"  {name:7}{_describe(preset)}" for name, preset in PRESETS.items())
    parser = Parser(
        prog="python -m experiments.search",
        description="Search the hyperparameters of NARM, or of a baseline, on a dataset.",
        epilog=EPILOG.format(presets=presets),
    )
    _add_what(parser.add_argument_group("what to search"))
    _add_how_much(parser.add_argument_group("how, and how much"))
    _add_studies(parser.add_argument_group("the study"))
    add_output_flags(parser, result="the summary")
    _add_beginning(parser.add_rare_group("where to begin"))
    _add_scheduling(parser.add_rare_group("how trials are stopped"))
    _add_ends(parser.add_rare_group("what ends a search"))
    _add_machines(parser.add_rare_group("on which machines"))
    _add_places(parser.add_rare_group("where results go"))
    add_options(parser, skip=("dataset", "model", "valid_metric", "seed", "epochs"))
    return parser


def _add_what(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--preset", default=DEFAULT_PRESET, metavar="NAME", help=f"{_names(PRESETS)} (see below)")
    group.add_argument("--dataset", metavar="FILE", help="events (.csv, .parquet, .inter), ml-100k, synthetic")
    add_model(group)
    group.add_argument("--space", metavar="FILE", help="a space (.yaml, .hyper), recbole, narm, a model's name")
    group.add_argument("--config", metavar="FILE", help="YAML of options; RecBole's keys are accepted")
    group.add_argument(
        "--objective",
        "--valid_metric",
        dest="objective",
        metavar="METRIC",
        help="to maximise; costs may follow: MRR@10,n_parameters",
    )


def _add_how_much(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--sampler", metavar="NAME", help=f"{_names(SAMPLER_NAMES)} (default: gp where ranges are continuous, else tpe)"
    )
    group.add_argument("--scheduler", metavar="NAME", help=f"{_names(SCHEDULER_NAMES)} (default: asha)")
    group.add_argument("--trials", type=int, metavar="N", help="configurations to try at most")
    group.add_argument("--epochs", metavar="N", help="of a trial at most")
    group.add_argument("--time-budget", metavar="TIME", help="90s, 10m, 2h, none; finalists come on top")
    group.add_argument("--finalists", type=int, metavar="K", help="train the best K again, judge on test; 0: none")
    group.add_argument(
        "--finalist-seeds", "--seeds", dest="finalist_seeds", type=int, metavar="N", help="with N new seeds each"
    )
    group.add_argument("--concurrency", type=int, metavar="N", help="trials at once (default: one a core)")
    group.add_argument("--seed", metavar="N", help="of the study (default: 2020)")


def _add_studies(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--resume", metavar="STUDY", help="go on with a study, however it ended")
    group.add_argument("--study", metavar="NAME", help="a new name (default: dataset, space, time)")
    add_studies_folder(group)


def _add_beginning(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--warm-start",
        action="append",
        default=[],
        metavar="STUDY[:k]",
        help="try the best k of an earlier study first",
    )
    group.add_argument("--enqueue", metavar="FILE", help="YAML file of configurations to try first")


def _add_scheduling(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--grace-epochs", type=int, metavar="N", help="that the scheduler gives every trial")
    group.add_argument("--reduction", type=int, metavar="N", help="one of N goes on at each rung (default: 4)")


def _add_ends(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--epoch-budget", type=int, metavar="N", help="epochs of all trials together")
    group.add_argument("--plateau", type=int, metavar="N", help="epochs of all trials without a new best")
    group.add_argument("--max-retries", type=int, metavar="N", help="of a failed trial (default: 1)")
    group.add_argument("--max-failed", metavar="N", help="failed trials that are too many (default: 50%%)")


def _add_machines(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--threads", type=int, metavar="N", help="of each trial (default: cores / concurrency)")
    group.add_argument("--device", metavar="NAME", help=f"{_names(DEVICES)} (default: auto)")
    group.add_argument("--gpus-per-trial", type=float, metavar="X", help="share of a GPU (default: 1 / concurrency)")
    group.add_argument("--address", metavar="HOST:PORT", help="a running Ray cluster (default: its own Ray)")


def _add_places(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--storage", metavar="URL", help="Optuna's database (default: SQLite in --output)")
    group.add_argument("--tracking-uri", metavar="URI", help="MLflow's (default: SQLite in --output)")
    group.add_argument(
        "--system-metrics", action="store_true", default=None, help="CPU and memory of driver and workers, to MLflow"
    )
    group.add_argument("--checkpoint-storage", metavar="URI", help="folder or bucket that all machines reach")


def _names(known: Iterable[str]) -> str:
    return ", ".join(known)


def _describe(preset: Preset) -> str:
    limit = f", {preset.time_budget / 60:g} min" if preset.time_budget else ""
    size = f"{preset.trials} trials, {preset.epochs} epochs{limit}"
    return f"{preset.dataset}, space {preset.space}, {size}: {preset.purpose}"
