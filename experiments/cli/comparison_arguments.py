"""The studies that a command line of `experiments.compare` asks for: one for each model."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from experiments.cli import search_parser
from experiments.cli.flags import given_options
from experiments.cli.for_these_data import LoadSplits
from experiments.cli.search_arguments import build_spec
from experiments.tuning.study.names import check_name, new_name
from experiments.tuning.study.spec import StudySpec
from narm.config import OPTIONS
from narm.config_file import OptionsFile, read_config
from narm.data.datasets import dataset_name, load_splits
from narm.errors import InputError
from narm.metrics import parse_metric
from narm.model_options import used_options
from narm.models import MODELS, ModelName
from search_spaces.space_file import find_space

DEFAULTS = {
    "objective": "MRR@20", "trials": 12, "epochs": "15", "finalists": 1, "finalist_seeds": 2,
    "grace_epochs": 3,  # networks learn what is popular first, and sessions later: one epoch misjudges them
    "refit": "none",  # models are compared by what they learn from train
    "time_budget": "none",  # on the clock, a slow moment would cost one model trials that another had
}  # fmt: skip
"""Flags of `experiments.search` as a comparison has them, where the command line says nothing."""


def read_models(text: str | None) -> list[ModelName]:
    """The models of `narm,v_sknn`; of None, all.

    Raises:
        InputError: an unknown model, one named twice, or fewer than two.
    """
    if text is None:
        return list(MODELS)
    models = [cast("ModelName", OPTIONS.check("model", name.strip())) for name in text.split(",")]
    if len(models) < 2 or len(set(models)) < len(models):
        raise InputError(f"models: '{text}': name two or more, each once, such as narm,v_sknn")
    return models


def read_metrics(text: str) -> list[str]:
    """The metrics of `mrr@20,Recall@20`, spelled `MRR@20`.

    Raises:
        InputError: one of them is not a metric.
    """
    return ["{}@{}".format(*parse_metric(metric)) for metric in text.split(",")]


def build_specs(
    models: Sequence[ModelName], study: str | None, options: Sequence[str], load: LoadSplits = load_splits
) -> list[StudySpec]:
    """The study of each model.

    Args:
        models: to compare.
        study: name of the comparison, with which those of the studies begin; None: a new one.
        options: arguments of `experiments.search`, for all of them.
        load: loads the data, whose size spaces and recipes may depend on.
    Raises:
        InputError: something in the options is wrong.
    """
    given = search_parser.build_parser().parse_args(options)
    _check_options(given, models)
    if study is not None:
        check_name(study)
    prefix = study or new_name("compare", dataset_name(str(given.dataset or "ml-100k")))
    file = read_config(Path(given.config)) if given.config else OptionsFile()
    of_space = [] if given.space is None else _models_of_space(given.space, models)
    specs = []
    for model in models:
        own = argparse.Namespace(**vars(given))
        own.model, own.study = model, f"{prefix}-{model}"
        if model not in of_space:
            own.space = model  # the name of its space, as wide as those of the others
        _fill_in(own, model)
        # A model is judged by its best configuration: its default one is a trial, and need not be trained again.
        specs.append(replace(build_spec(own, file, load), default_is_finalist=False))
    return specs


def _fill_in(own: argparse.Namespace, model: ModelName) -> None:
    """Give a model the defaults of a comparison, and take away the options that it does not use."""
    for name, value in DEFAULTS.items():
        if getattr(own, name, None) is None and not (name == "finalist_seeds" and MODELS[model].learned_at_once):
            setattr(own, name, value)
    for name in given_options(own):
        if name not in used_options(model):
            setattr(own, name, None)


def _check_options(namespace: argparse.Namespace, models: Sequence[ModelName]) -> None:
    """An option that no model uses would be dropped for each of them, and silently do nothing."""
    if namespace.against is not None:
        raise InputError("against: a comparison is of models that are all trained now: leave it to experiments.search")
    for name in given_options(namespace):
        if not any(name in used_options(model) for model in models):
            raise InputError(f"{name} is no option of any of these models: {', '.join(models)}")


def _models_of_space(space: str, models: Sequence[ModelName]) -> list[ModelName]:
    """The models that have all options of a space."""
    wanted = set(find_space(space).options)
    found = [model for model in models if wanted <= set(used_options(model))]
    if not found:
        raise InputError(f"space: none of these models has all options of {space}: {', '.join(models)}")
    return found
