"""The study that a command line of `experiments.search` asks for."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from experiments.cli.flags import chosen_model, given_options
from experiments.cli.presets import PRESETS, Preset
from experiments.tuning.driver.ray_session import cluster_address
from experiments.tuning.optimizer.samplers import default_sampler
from experiments.tuning.optimizer.scheduler import REDUCTION
from experiments.tuning.study.environment import command_line as own_command
from experiments.tuning.study.limits import Limits
from experiments.tuning.study.objectives import Objective, parse_objectives
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.study.storage import closing_study, load_study, read_stored_spec, storage_in
from experiments.tuning.study.stored_spec import Record, stored_space
from narm.config import LEARNED_AT_ONCE, Config, EvaluationConfig, ModelName
from narm.config_file import OptionsFile
from narm.data.datasets import dataset_name
from narm.errors import InputError
from narm.machine.device import resolve_device
from narm.machine.threads import usable_cores
from search_spaces.space import SearchSpace, load_space


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
    flags = given_options(given)
    recorded = record.get("config", {})
    model = chosen_model(flags, file.values, recorded)
    space = _space(given, record, preset, model)
    _check_nothing_is_fixed_and_searched(space, flags)
    fallback = {"dataset": preset.dataset, "epochs": preset.epochs}
    known = {**fallback, **recorded, **file.for_model(model).values, **flags, "model": model}
    objectives = _objectives(given, file, record)
    config = Config.from_flat({**known, "valid_metric": objectives[0].name})
    trials = _trials(choose, record, space)
    concurrency, threads = _share_cores(choose("concurrency"), choose("threads"))
    device = choose("device", "auto")
    return StudySpec(
        name=given.resume or given.study or _study_name(config, space),
        config=config,
        space=space,
        objectives=objectives,
        sampler=choose("sampler") or default_sampler(space, trials=trials, n_objectives=len(objectives)),
        scheduler=choose("scheduler", "asha" if len(objectives) == 1 else "none"),
        grace_epochs=choose("grace_epochs"),
        reduction=choose("reduction", REDUCTION),
        trials=trials,
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
        return read_stored_spec(study)


def _choose(name: str) -> Preset:
    if name not in PRESETS:
        raise InputError(f"preset: there is no '{name}'; known: {', '.join(PRESETS)}")
    return PRESETS[name]


def _space(given: argparse.Namespace, record: Record, preset: Preset, model: ModelName) -> SearchSpace:
    """As asked for; else the study's; else the preset's for NARM, and for any other model the one of its name."""
    if given.space is None and record:
        return stored_space(record)
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
