"""`python -m experiments.search`: search the hyperparameters of NARM on a dataset."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console

from experiments import command_line
from experiments.environment import command_line as own_command
from experiments.interruption import INTERRUPTED
from experiments.presets import DEFAULT_PRESET, PRESETS, Preset
from experiments.progress import format_duration
from experiments.samplers import SAMPLERS
from experiments.schedulers import SCHEDULERS
from experiments.spec import StudySpec
from experiments.study import run_study
from experiments.summary import print_summary
from narm.config import Config
from narm.config_file import OptionsFile, read_config
from narm.data.datasets import dataset_name, load_splits
from narm.device import DEVICES
from narm.errors import InputError
from narm.threads import usable_cores
from search_spaces.space import SearchSpace, load_space

ALL_FAILED = 3

EPILOG = """\
Any option of NARM may be given too, and is then fixed for the search: --train_batch_size 512 (see --help-options).
The command line wins over the config file, that over the preset, that over the defaults.

presets:
{presets}

examples:
  python -m experiments.search                                   ml-100k, RecBole's space, minutes
  python -m experiments.search --preset full --time-budget 2h
  python -m experiments.search --dataset clicks.csv --space mine.yaml --objective Recall@20 --trials 50

exit status: 0; 2 wrong usage, configuration or data; 3 every trial failed; 130 interrupted, what was done is kept
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a search.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, configuration or data.
    """
    given = _parser().parse_args(arguments)
    file = read_config(Path(given.config)) if given.config else OptionsFile()
    spec = build_spec(given, file)
    splits = load_splits(spec.config.data)
    if not given.quiet:
        _announce(spec)
        for note in (*file.notes, *splits.notes):
            print(f"note: {note}")
    result = run_study(spec, splits, quiet=given.quiet)
    if not given.quiet:
        print(f"The search ended: {result.reason}.")
        where = {"summary": str(spec.folder / "summary.json"), "MLflow": result.mlflow}
        print_summary(result.summary, Console(), n_valid=len(splits.valid), where=where)
    if result.reason == INTERRUPTED:
        return command_line.INTERRUPTED
    return ALL_FAILED if result.summary.best is None else 0


def build_spec(given: argparse.Namespace, file: OptionsFile) -> StudySpec:
    """The study that a command line and its config file ask for.

    Raises:
        InputError: something in them, or in the space, is wrong.
    """
    preset = _choose(given.preset)
    flags = command_line.given_options(given)
    config = Config.from_flat({"dataset": preset.dataset, "epochs": preset.epochs, **file.values, **flags})
    space = load_space(given.space or preset.space)
    _check_nothing_is_fixed_and_searched(space, flags)
    output = Path(given.output)
    concurrency, threads = _share_cores(given.concurrency, given.threads)
    return StudySpec(
        name=given.study or _study_name(config, space),
        config=config,
        space=space,
        sampler=given.sampler,
        scheduler=given.scheduler,
        trials=_trials(given, preset, space),
        concurrency=concurrency,
        threads=threads,
        device=given.device,
        time_budget=preset.time_budget if given.time_budget is None else read_time_budget(given.time_budget),
        storage=given.storage or f"sqlite:///{(output / 'studies.db').resolve()}",
        tracking_uri=given.tracking_uri or f"sqlite:///{(output / 'mlflow.db').resolve()}",
        output=output,
        command=own_command(),
    )


def read_time_budget(text: str) -> float | None:
    """Seconds of `90`, `90s`, `10m` or `2h`; None, no limit, of `none`.

    Raises:
        InputError: it is none of these, or not positive.
    """
    if text == "none":
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    seconds = float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]] if match else 0.0
    if seconds <= 0:
        raise InputError(f"time budget: '{text}' is no duration: write 90s, 10m, 2h or none")
    return seconds


def _choose(name: str) -> Preset:
    if name not in PRESETS:
        raise InputError(f"preset: there is no '{name}'; known: {', '.join(PRESETS)}")
    return PRESETS[name]


def _check_nothing_is_fixed_and_searched(space: SearchSpace, flags: Mapping[str, object]) -> None:
    """A config file may name what the space searches: it says where the search begins. A flag may not."""
    for name in space.options:
        if name in flags:
            raise InputError(f"--{name} fixes what the space {space.name} searches: leave one of them out")


def _trials(given: argparse.Namespace, preset: Preset, space: SearchSpace) -> int:
    """As asked for; a grid is whole when nothing is said."""
    if given.trials is not None:
        return int(given.trials)
    whole_grid = space.size + 1 if space.size is not None else preset.trials
    return whole_grid if given.sampler == "grid" else preset.trials


def _share_cores(concurrency: int | None, threads: int | None) -> tuple[int, int]:
    """Trials at once and threads of each: two trials of one thread beat one trial of two."""
    if concurrency is None:
        concurrency = max(1, usable_cores() // max(1, threads or 1))
    if threads is None:
        threads = max(1, usable_cores() // max(1, concurrency))
    return concurrency, threads


def _study_name(config: Config, space: SearchSpace) -> str:
    return f"{dataset_name(config.data.dataset)}-{space.name}-{datetime.now():%Y%m%d-%H%M%S}"


def _announce(spec: StudySpec) -> None:
    budget = f", {format_duration(spec.time_budget)} in all" if spec.time_budget else ""
    print(
        f"Searching {spec.space.name} on {dataset_name(spec.config.data.dataset)}: {spec.trials_possible} trials of "
        f"{spec.config.training.epochs} epochs at most, {spec.concurrency} at once{budget}. Study {spec.name}."
    )
    outside = spec.space.why_outside(spec.config)
    if outside:
        print(f"The default configuration lies outside the space ({outside}); it runs as trial 0 all the same.")


def _parser() -> command_line.Parser:
    presets = "\n".join(f"  {name:7}{_describe(preset)}" for name, preset in PRESETS.items())
    parser = command_line.Parser(
        prog="python -m experiments.search", description=__doc__, epilog=EPILOG.format(presets=presets)
    )
    parser.add_argument("--preset", default=DEFAULT_PRESET, help=f"{_names(PRESETS)} (default: {DEFAULT_PRESET})")

    what = parser.add_argument_group("what to search")
    what.add_argument("--dataset", help="ml-100k, synthetic, or a file of events")
    what.add_argument("--space", help="recbole, narm, smoke, or a file (.yaml, .hyper)")
    what.add_argument("--config", metavar="FILE", help="YAML file of options; RecBole's keys are accepted")
    what.add_argument(
        "--objective", "--valid_metric", dest="valid_metric", metavar="METRIC", help="to maximise (default: MRR@10)"
    )

    how = parser.add_argument_group("how")
    how.add_argument("--sampler", default="tpe", help=f"{_names(SAMPLERS)} (default: tpe)")
    how.add_argument("--scheduler", default="asha", help=f"{_names(SCHEDULERS)} (default: asha)")
    how.add_argument("--seed", metavar="N", help="of the study; a trial's follows from it (default: 2020)")

    size = parser.add_argument_group("how much")
    size.add_argument("--trials", type=int, metavar="N", help="configurations to try at most")
    size.add_argument("--epochs", metavar="N", help="of a trial at most")
    size.add_argument("--time-budget", metavar="TIME", help="of the whole search: 90s, 10m, 2h, none")
    size.add_argument("--concurrency", type=int, metavar="N", help="trials at once (default: one a core)")
    size.add_argument("--threads", type=int, metavar="N", help="of each trial (default: cores / concurrency)")
    size.add_argument("--device", default="auto", help=f"{', '.join(DEVICES)} (default: auto)")

    where = parser.add_argument_group("where results go")
    where.add_argument("--output", default="runs", metavar="DIR", help="folder of all studies (default: ./runs)")
    where.add_argument("--study", metavar="NAME", help="a new name (default: dataset, space, time)")
    where.add_argument("--storage", metavar="URL", help="Optuna's database (default: SQLite in the output folder)")
    where.add_argument("--tracking-uri", metavar="URI", help="MLflow's (default: SQLite in the output folder)")
    where.add_argument("--quiet", action="store_true", help="print nothing but errors")

    command_line.add_options(parser, skip=("dataset", "valid_metric", "seed", "epochs"))
    return parser


def _names(known: Iterable[str]) -> str:
    return ", ".join(known)


def _describe(preset: Preset) -> str:
    limit = f", {preset.time_budget / 60:g} min" if preset.time_budget else ""
    size = f"{preset.trials} trials, {preset.epochs} epochs{limit}"
    return f"{preset.dataset}, space {preset.space}, {size}: {preset.purpose}"


if __name__ == "__main__":
    sys.exit(command_line.run_command(main))
