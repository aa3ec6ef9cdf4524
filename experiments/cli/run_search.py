"""Runs the study that a command line asks for, and prints what it found."""

from __future__ import annotations

import argparse
from functools import cache, partial
from pathlib import Path

from rich.console import Console

from experiments.cli.exit_status import EXIT_ALL_FAILED, EXIT_INTERRUPTED
from experiments.cli.flags import given_options
from experiments.cli.incumbents import find_incumbent
from experiments.cli.output import open_console, write_json
from experiments.cli.recorded_data import load_recorded
from experiments.cli.search_arguments import build_spec
from experiments.cli.unused_variables import unused_variables
from experiments.reporting.display import Display
from experiments.reporting.durations import format_duration
from experiments.reporting.estimate_lines import estimate_document, estimate_lines
from experiments.reporting.recorder import Recording
from experiments.reporting.report.console import print_summary
from experiments.reporting.report.incumbents import known_items
from experiments.tracking.tracker import where_to_look
from experiments.tuning.driver.run import run_studies
from experiments.tuning.driver.study_run import Plan
from experiments.tuning.engine.incumbent import Incumbent
from experiments.tuning.planning.estimate import estimate
from experiments.tuning.study.constraints import describe
from experiments.tuning.study.folder import PAGE, WINNER
from experiments.tuning.study.limits import INTERRUPTED
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.study.summary import Summary, format_params, summary_json
from experiments.tuning.study.warm_start import Queued, best_of_study, read_queue
from experiments.tuning.worker.addresses import absolute_tracking_uri
from narm.config import DataConfig
from narm.config_file import OptionsFile, read_config
from narm.data.datasets import dataset_name, load_splits
from narm.data.sessions import Splits
from narm.errors import InputError
from narm.machine.capacity import cores
from narm.metrics import key_of


def run_search(given: argparse.Namespace) -> int:
    """Run a search.

    Args:
        given: a command line, as `experiments.cli.search_parser` reads it.
    Returns:
        the exit status.
    Raises:
        InputError: wrong configuration or data.
    """
    if given.plan and given.resume:
        raise InputError(
            "--plan is for a new study: what --resume has left to do depends on what its trials have shown"
        )
    console = open_console(given)
    file = read_config(Path(given.config)) if given.config else OptionsFile()
    load = cache(partial(_load, given))
    spec = build_spec(given, file, load)
    file = file.for_model(spec.config.model.model)
    splits = load(spec.config.data)
    queue = _queue(given, spec, splits.fingerprint)
    with find_incumbent(given, spec, splits) as incumbent:
        _announce(spec, console)
        if not given.resume:
            _announce_recipe(spec, console)
        if incumbent is not None:
            _announce_incumbent(incumbent, spec, console)
        for note in (*file.notes, *splits.notes, *unused_variables(spec.tracking_uri)):
            console.out(f"note: {note}", highlight=False)
        if given.plan:
            _say_estimate(given, spec, splits, console)
            return 0
        with Display(quiet=given.quiet) as display:
            plan = Plan(spec=spec, resume=bool(given.resume), queue=queue, incumbent=incumbent)
            (result,) = run_studies([plan], splits, Recording(display).open)
    write_json(given, summary_json(result.summary))
    console.out(f"The search ended: {result.reason}.", highlight=False)
    report, winner = spec.folder / PAGE, spec.folder / WINNER
    where = {"report": str(report)} if report.is_file() else {}
    where |= {_model(result.summary): str(winner)} if winner.is_file() else {}
    where |= {"MLflow": where_to_look(absolute_tracking_uri(spec.tracking_uri))}
    print_summary(result.summary, console, where=where)
    if result.reason == INTERRUPTED:
        return EXIT_INTERRUPTED
    return EXIT_ALL_FAILED if result.summary.best is None else 0


def _model(summary: Summary) -> str:
    """What `winner.pt` holds."""
    if summary.keep is not None:
        return f"model to keep, {summary.keep}"
    return f"model to ship, trial {summary.recommended}"


def _say_estimate(given: argparse.Namespace, spec: StudySpec, splits: Splits, console: Console) -> None:
    """Say what the search would take, and do no more."""
    measured = estimate(spec, splits)
    write_json(given, estimate_document(measured))
    for line in estimate_lines(measured, spec, splits):
        console.out(line, highlight=False)


def _load(given: argparse.Namespace, config: DataConfig) -> Splits:
    if not given.resume:
        return load_splits(config)
    return load_recorded(config, given.resume, named_now="dataset" in given_options(given))


def _queue(given: argparse.Namespace, spec: StudySpec, fingerprint: str) -> list[Queued]:
    """What a person wants tried first: configurations of their own, then the best of earlier studies."""
    queue = read_queue(Path(given.enqueue), spec.space, spec.config) if given.enqueue else []
    for study in given.warm_start:
        queue += best_of_study(
            study, storage=spec.storage, space=spec.space, config=spec.config, fingerprint=fingerprint
        )
    return queue


def _announce(spec: StudySpec, console: Console) -> None:
    budget = f", {format_duration(spec.time_budget)} in all" if spec.time_budget else ""
    available = cores()
    bound = f", on {available}" if available.bound and spec.address is None else ""
    console.out(
        f"Searching {spec.space.name} on {dataset_name(spec.config.data.dataset)}: {spec.trials_possible} trials of "
        f"{_epochs(spec)}, {spec.concurrency} at once{bound}{budget}. Study {spec.name}.",
        highlight=False,
    )
    if spec.space.by_data:
        decided = ", ".join(f"{name} {values}" for name, values in spec.space.by_data.items())
        console.out(f"By the data, {spec.space.data}: {decided}.", highlight=False)
    if spec.constraints:
        console.out(f"What ships has {describe(spec.constraints)}.", highlight=False)
    outside = spec.space.why_outside(spec.config)
    if outside:
        line = f"The default configuration lies outside the space ({outside}); it runs as trial 0 all the same."
        console.out(line, highlight=False)


def _announce_recipe(spec: StudySpec, console: Console) -> None:
    recipe = spec.recipe_trial
    if recipe is None:
        return
    if recipe.options is None:
        line = f"The recipe {recipe.name} is not tried: {recipe.why_not}."
    else:
        line = f"The recipe {recipe.name} comes after the default configuration: {format_params(recipe.options)}."
    console.out(line, highlight=False)


def _announce_incumbent(incumbent: Incumbent, spec: StudySpec, console: Console) -> None:
    value = incumbent.valid[key_of(spec.objective)]
    console.out(
        f"The model to beat, {incumbent.name}: validation {spec.objective} {value:.4f}, "
        f"{known_items(len(incumbent.items), incumbent.n_items)}.",
        highlight=False,
    )


def _epochs(spec: StudySpec) -> str:
    epochs = spec.config.training.epochs
    return "one epoch each" if epochs == 1 else f"{epochs} epochs at most"
