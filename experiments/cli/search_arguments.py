"""The study that a command line of `experiments.search` asks for."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.cli.flags import chosen_model, given_options
from experiments.cli.for_these_data import ForTheseData, LoadSplits, bundled_recipe
from experiments.cli.presets import Preset, find_preset
from experiments.tuning.driver.ray_session import cluster_address
from experiments.tuning.study.environment import command_line as own_command
from experiments.tuning.study.names import new_name
from experiments.tuning.study.objectives import parse_objectives
from experiments.tuning.study.setting import settings, settle
from experiments.tuning.study.setting_rules import fitting_here
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.study.storage import closing_study, load_study, read_stored_spec, storage_in
from experiments.tuning.study.stored_spec import restored_settings
from narm.config import Config
from narm.config_file import OptionsFile
from narm.data.datasets import dataset_name, load_splits
from narm.errors import InputError
from narm.models import MODELS, ModelName
from search_spaces.space import SearchSpace
from search_spaces.space_file import SpaceFile, find_space

_FINALISTS = {"finalists", "finalist_seeds"}
"""Who asks for other numbers of these means no budget of runs that was made for others."""


def build_spec(given: argparse.Namespace, file: OptionsFile, load: LoadSplits = load_splits) -> StudySpec:
    """The study that a command line and its config file ask for.

    A setting comes from the first place that has it: the command line, the study to resume, the preset, its default.

    Args:
        given: the command line.
        file: the config file.
        load: loads the data, whose size the space and the recipe may depend on.
    Raises:
        InputError: something in them, in the space, or in the study to resume, is wrong.
    """
    output = Path(given.output)
    storage = given.storage or storage_in(output)
    on_command_line = _on_command_line(given)
    stored = _stored_settings(given.resume, storage) if given.resume else {}
    if _FINALISTS & on_command_line.keys():
        stored.pop("finalist_runs", None)
    asked = {**stored, **_in_file(file, given), **on_command_line}
    flags = given_options(given)
    recorded = stored["config"].flat() if stored else {}
    model = chosen_model(flags, file.values, recorded)
    preset = find_preset(given.preset)
    # The preset's space is NARM's; any other model has one of its name.
    space_file: SpaceFile | SearchSpace = asked.get("space") or find_space(preset.space if model == "narm" else model)
    _check_nothing_is_fixed_and_searched(space_file, flags)
    fallback = {"dataset": preset.dataset, "epochs": preset.epochs}
    known = {**fallback, **recorded, **file.for_model(model).values, **flags, "model": model}
    for_these_data = ForTheseData(Config.from_flat(known), load)
    space = for_these_data.space(space_file)
    # A study that was begun without a recipe goes on without one.
    recipe = asked.get("recipe") if stored or "recipe" in asked else bundled_recipe(model, space_file)
    own = {
        "space": space,
        "recipe": for_these_data.recipe(recipe, fixed={*flags, *file.values}),
        "address": cluster_address(given.address),
        "storage": storage,
        "output": output,
        "command": own_command(),
    }
    settled = settle({**_preset_settings(preset, asked, space, model), **asked, **own}, StudySpec)
    if stored:
        settled |= fitting_here(settled, fixed=on_command_line)
    config = Config.from_flat({**known, "valid_metric": settled["objectives"][0].name})
    name = given.resume or given.study or new_name(dataset_name(config.data.dataset), space.name)
    return StudySpec(**{**settled, "name": name, "config": config})


def _on_command_line(given: argparse.Namespace) -> dict[str, Any]:
    return {
        name: known.read(text)
        for name, known in settings(StudySpec).items()
        if (text := getattr(given, known.destination, None)) is not None
    }


def _in_file(file: OptionsFile, given: argparse.Namespace) -> dict[str, Any]:
    """The one setting that an option of the model decides too: the metric that chooses the epoch."""
    metric = file.values.get("valid_metric")
    return {} if metric is None or given.objective else {"objectives": parse_objectives(str(metric))}


def _stored_settings(name: str, storage: str) -> dict[str, Any]:
    with closing_study(load_study(name, storage)) as study:
        record = read_stored_spec(study)
    try:
        return restored_settings(record, StudySpec)
    except (InputError, KeyError, TypeError) as error:
        raise InputError(
            f"resume: study '{name}' has settings that this version does not know ({error}): go on with the version of "
            "narm-search that it was begun with"
        ) from None


def _preset_settings(preset: Preset, asked: Mapping[str, Any], space: SearchSpace, model: ModelName) -> dict[str, Any]:
    """Those of the preset, but a grid is whole, and once is enough where nothing is random."""
    found = preset.settings
    if asked.get("sampler") == "grid" and space.size is not None:
        found["trials"] = space.size + 1  # and the default configuration
    if MODELS[model].learned_at_once:
        found["finalist_seeds"] = 1
    if _FINALISTS & asked.keys():
        found["finalist_runs"] = None
    return found


def _check_nothing_is_fixed_and_searched(space: SpaceFile | SearchSpace, flags: Mapping[str, object]) -> None:
    """A config file may name what the space searches: it says where the search begins. A flag may not."""
    for name in space.options:
        if name in flags:
            raise InputError(f"--{name} fixes what the space {space.name} searches: leave one of them out")
