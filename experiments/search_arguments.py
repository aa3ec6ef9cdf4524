"""The command line of `experiments.search`, and the study it asks for."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from experiments import command_line
from experiments.environment import command_line as own_command
from experiments.limits import Limits
from experiments.objectives import COSTS, Objective, parse_objectives
from experiments.presets import DEFAULT_PRESET, PRESETS, Preset
from experiments.ray_session import cluster_address
from experiments.samplers import SAMPLERS
from experiments.saved_study import DEFAULT_OUTPUT
from experiments.schedulers import SCHEDULERS
from experiments.schedulers.policy import REDUCTION
from experiments.spec import StudySpec
from experiments.study_record import Record, recorded_space
from experiments.study_store import closing_study, load_study, read_record, storage_in
from narm.config import LEARNED_AT_ONCE, Config, EvaluationConfig, ModelName
from narm.config_file import OptionsFile
from narm.data.datasets import dataset_name
from narm.device import DEVICES, resolve_device
from narm.errors import InputError
from narm.threads import usable_cores
from search_spaces.space import SearchSpace, load_space

EPILOG = """\
Any option of the model may be given too, and is then fixed for the search: --train_batch_size 512 (see --help-options).
The command line wins over the config file, that over the preset, that over the defaults; with --resume the study's own
settings take the place of preset and defaults.

presets:
{presets}

examples:
  python -m experiments.search                                   ml-100k, RecBole's space, minutes
  python -m experiments.search --preset full --time-budget 2h
  python -m experiments.search --resume ml-100k-recbole-20260102-030405 --trials 40
  python -m experiments.search --dataset clicks.csv --space mine.yaml --objective Recall@20 --trials 50
  python -m experiments.search --dataset clicks.csv --model v_sknn
  python -m experiments.search --objective MRR@10,n_parameters --scheduler none

exit status: 0; 2 wrong usage, configuration or data; 3 every trial failed; 130 interrupted, --resume goes on
"""


@dataclass(frozen=True, slots=True)
class _Choices:
    """Each setting from the first place that has it: the command line, the study to resume, the preset, a default."""

    given: argparse.Namespace
    record: Record
    preset: Preset

    def __call__(self, name: str, default: Any = None) -> Any:
        found = getattr(self.given, name, None)
        if found is not None:
            return found
        return self.record.get(name, getattr(self.preset, name, default))


def build_spec(given: argparse.Namespace, file: OptionsFile) -> StudySpec:
    """The study that a command line and its config file ask for.

    Raises:
        InputError: something in them, in the space, or in the study to resume, is wrong.
    """
    output = Path(given.output)
    storage = given.storage or storage_in(output)
    record = _record(given.resume, storage) if given.resume else {}
    preset = _choose(given.preset)
    choose = _Choices(given, record, preset)
    flags = command_line.given_options(given)
    recorded = record.get("config", {})
    model = command_line.chosen_model(flags, file.values, recorded)
    space = _space(given, record, preset, model)
    _check_nothing_is_fixed_and_searched(space, flags)
    fallback = {"dataset": preset.dataset, "epochs": preset.epochs}
    known = {**fallback, **recorded, **file.for_model(model).values, **flags, "model": model}
    objectives = _objectives(given, file, record)
    config = Config.from_flat({**known, "valid_metric": objectives[0].name})
    concurrency, threads = _share_cores(choose("concurrency"), choose("threads"))
    device = choose("device", "auto")
    return StudySpec(
        name=given.resume or given.study or _study_name(config, space),
        config=config,
        space=space,
        objectives=objectives,
        sampler=choose("sampler", "tpe"),
        scheduler=choose("scheduler", "asha" if len(objectives) == 1 else "none"),
        grace_epochs=choose("grace_epochs"),
        reduction=choose("reduction", REDUCTION),
        trials=(trials := _trials(choose, record, space)),
        limits=_limits(choose, record, trials),
        time_budget=read_duration(given.time_budget) if given.time_budget else choose("time_budget"),
        concurrency=concurrency,
        threads=threads,
        device=device,
        gpus_per_trial=_gpus_per_trial(choose("gpus_per_trial"), device, concurrency),
        finalists=choose("finalists"),
        finalist_seeds=_finalist_seeds(choose, model),
        address=cluster_address(given.address),
        checkpoint_storage=choose("checkpoint_storage"),
        storage=storage,
        tracking_uri=choose("tracking_uri") or f"sqlite:///{(output / 'mlflow.db').resolve()}",
        output=output,
        command=own_command(),
        system_metrics=choose("system_metrics", False),
    )


def read_duration(text: str) -> float | None:
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


def read_max_failed(text: str, trials: int) -> int | None:
    """Trials that may fail, of a number or a share: `3`, `0.5`, `50%`; None, any number, of `none`.

    Raises:
        InputError: it is none of these.
    """
    if text == "none":
        return None
    match = re.fullmatch(r"(\d+)|(0?\.\d+)|(\d+(?:\.\d+)?)%", text.strip())
    if match is None or (match[3] and float(match[3]) > 100):
        raise InputError(f"max failed: '{text}' is no number or share of trials: write 3, 0.5, 50% or none")
    if match[1]:
        return int(match[1])
    share = float(match[2]) if match[2] else float(match[3]) / 100
    return int(share * trials)


def _record(name: str, storage: str) -> Record:
    with closing_study(load_study(name, storage)) as study:
        return read_record(study)


def _choose(name: str) -> Preset:
    if name not in PRESETS:
        raise InputError(f"preset: there is no '{name}'; known: {', '.join(PRESETS)}")
    return PRESETS[name]


def _space(given: argparse.Namespace, record: Record, preset: Preset, model: ModelName) -> SearchSpace:
    """As asked for; else the study's; else the preset's for NARM, and for any other model the one of its name."""
    if given.space is None and record:
        return recorded_space(record)
    return load_space(given.space or (preset.space if model == "narm" else model))


def _objectives(given: argparse.Namespace, file: OptionsFile, record: Record) -> tuple[Objective, ...]:
    text = given.objective or file.values.get("valid_metric") or record.get("objectives")
    return parse_objectives(str(text or EvaluationConfig().valid_metric))


def _check_nothing_is_fixed_and_searched(space: SearchSpace, flags: Mapping[str, object]) -> None:
    """A config file may name what the space searches: it says where the search begins. A flag may not."""
    for name in space.options:
        if name in flags:
            raise InputError(f"--{name} fixes what the space {space.name} searches: leave one of them out")


def _trials(choose: _Choices, record: Record, space: SearchSpace) -> int:
    """As asked for; a grid is whole when nothing is said."""
    if choose.given.trials is None and not record and choose("sampler") == "grid" and space.size is not None:
        return space.size + 1
    return int(choose("trials"))


def _finalist_seeds(choose: _Choices, model: ModelName) -> int:
    """As asked for; once is enough where nothing is random."""
    if choose.given.finalist_seeds is None and not choose.record and model in LEARNED_AT_ONCE:
        return 1
    return int(choose("finalist_seeds"))


def _limits(choose: _Choices, record: Record, trials: int) -> Limits:
    given, known = choose.given, Limits(**record.get("limits", {"max_retries": 1, "max_failed": trials // 2}))
    max_failed = known.max_failed if given.max_failed is None else read_max_failed(given.max_failed, trials)
    return Limits(
        epochs=known.epochs if given.epoch_budget is None else given.epoch_budget,
        plateau=known.plateau if given.plateau is None else given.plateau,
        max_retries=known.max_retries if given.max_retries is None else given.max_retries,
        max_failed=max_failed,
    )


def _share_cores(concurrency: int | None, threads: int | None) -> tuple[int, int]:
    """Trials at once and threads of each: two trials of one thread beat one trial of two."""
    if concurrency is None:
        concurrency = max(1, usable_cores() // max(1, threads or 1))
    if threads is None:
        threads = max(1, usable_cores() // max(1, concurrency))
    return concurrency, threads


def _gpus_per_trial(given: float | None, device: str, concurrency: int) -> float:
    """As asked for; else trials share the GPU where there is one."""
    if given is not None:
        return given
    return 1 / concurrency if resolve_device(device).type == "cuda" else 0.0


def _study_name(config: Config, space: SearchSpace) -> str:
    return f"{dataset_name(config.data.dataset)}-{space.name}-{datetime.now():%Y%m%d-%H%M%S}"


def build_parser() -> command_line.Parser:
    """Every flag. Those that a study to resume or a preset may answer have no default here."""
    presets = "\n".join(f"  {name:7}{_describe(preset)}" for name, preset in PRESETS.items())
    parser = command_line.Parser(
        prog="python -m experiments.search",
        description="Search the hyperparameters of NARM, or of a baseline, on a dataset.",
        epilog=EPILOG.format(presets=presets),
    )
    parser.add_argument("--preset", default=DEFAULT_PRESET, help=f"{_names(PRESETS)} (default: {DEFAULT_PRESET})")
    _add_what(parser.add_argument_group("what to search"))
    _add_how(parser.add_argument_group("how"))
    _add_how_much(parser.add_argument_group("how much"))
    _add_finalists(parser.add_argument_group("afterwards, on the test split"))
    _add_failures(parser.add_argument_group("when something goes wrong"))
    _add_machines(parser.add_argument_group("on which machines"))
    _add_places(parser.add_argument_group("where results go"))
    command_line.add_options(parser, skip=("dataset", "model", "valid_metric", "seed", "epochs"))
    return parser


def _add_what(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--dataset", help="ml-100k, synthetic, or a file of events")
    command_line.add_model(group)
    group.add_argument("--space", help="recbole, narm, smoke, a model's name, or a file (.yaml, .hyper)")
    group.add_argument("--config", metavar="FILE", help="YAML file of options; RecBole's keys are accepted")
    group.add_argument(
        "--objective",
        "--valid_metric",
        dest="objective",
        metavar="METRIC",
        help=f"to maximise (default: MRR@10); costs to minimise may follow: MRR@10,{next(iter(COSTS))}",
    )
    group.add_argument(
        "--warm-start",
        action="append",
        default=[],
        metavar="STUDY[:k]",
        help="try the best k of an earlier study first",
    )
    group.add_argument("--enqueue", metavar="FILE", help="YAML file of configurations to try first")


def _add_how(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--sampler", help=f"{_names(SAMPLERS)} (default: tpe)")
    group.add_argument("--scheduler", help=f"{_names(SCHEDULERS)} (default: asha)")
    group.add_argument("--grace-epochs", type=int, metavar="N", help="that the scheduler gives every trial")
    group.add_argument("--reduction", type=int, metavar="N", help="one of N trials goes on at each rung (default: 4)")
    group.add_argument("--seed", metavar="N", help="of the study; a trial's follows from it (default: 2020)")


def _add_how_much(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--trials", type=int, metavar="N", help="configurations to try at most")
    group.add_argument("--epochs", metavar="N", help="of a trial at most")
    group.add_argument("--time-budget", metavar="TIME", help="of the search: 90s, 10m, 2h, none; finalists come on top")
    group.add_argument("--epoch-budget", type=int, metavar="N", help="epochs of all trials together")
    group.add_argument("--plateau", type=int, metavar="N", help="end after N epochs, of all trials, without a new best")


def _add_finalists(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--finalists", type=int, metavar="K", help="train the best K again; 0: none")
    group.add_argument(
        "--finalist-seeds", "--seeds", dest="finalist_seeds", type=int, metavar="N", help="with N new seeds each"
    )


def _add_failures(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--resume", metavar="STUDY", help="go on with a study, however it ended")
    group.add_argument(
        "--max-retries", type=int, metavar="N", help="of a failed trial, from its checkpoint (default: 1)"
    )
    group.add_argument(
        "--max-failed", metavar="N", help="failed trials that end the search: 3, 50%%, none (default: 50%%)"
    )


def _add_machines(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--concurrency", type=int, metavar="N", help="trials at once (default: one a core)")
    group.add_argument("--threads", type=int, metavar="N", help="of each trial (default: cores / concurrency)")
    group.add_argument("--device", help=f"{', '.join(DEVICES)} (default: auto)")
    group.add_argument("--gpus-per-trial", type=float, metavar="X", help="share of a GPU (default: 1 / concurrency)")
    group.add_argument("--address", metavar="HOST:PORT", help="a running Ray cluster (default: a Ray of one's own)")


def _add_places(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--output", default=DEFAULT_OUTPUT, metavar="DIR", help="folder of all studies (default: ./runs)"
    )
    group.add_argument("--study", metavar="NAME", help="a new name (default: dataset, space, time)")
    group.add_argument("--storage", metavar="URL", help="Optuna's database (default: SQLite in the output folder)")
    group.add_argument("--tracking-uri", metavar="URI", help="MLflow's (default: SQLite in the output folder)")
    group.add_argument(
        "--system-metrics", action="store_true", default=None, help="CPU and memory of driver and workers, to MLflow"
    )
    group.add_argument("--checkpoint-storage", metavar="URI", help="folder or bucket that all machines reach")
    group.add_argument("--quiet", action="store_true", help="print nothing but errors")


def _names(known: Iterable[str]) -> str:
    return ", ".join(known)


def _describe(preset: Preset) -> str:
    limit = f", {preset.time_budget / 60:g} min" if preset.time_budget else ""
    size = f"{preset.trials} trials, {preset.epochs} epochs{limit}"
    return f"{preset.dataset}, space {preset.space}, {size}: {preset.purpose}"
