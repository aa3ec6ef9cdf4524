"""Searches each model on the same data, and compares what they found."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from experiments.cli.comparison_arguments import build_specs, read_metrics, read_models
from experiments.cli.exit_status import EXIT_NO_RESULT
from experiments.cli.output import open_console
from experiments.reporting.display import Display
from experiments.reporting.model_comparison.recorder import record_comparison
from experiments.reporting.model_comparison.report import markdown, plot_by_length, print_comparison
from experiments.reporting.recorder import Recording
from experiments.tuning.driver.run import run_studies
from experiments.tuning.driver.study_run import Plan
from experiments.tuning.engine.model_comparison import Contender, ModelComparison, compare_models
from experiments.tuning.study.dataset import Dataset
from experiments.tuning.study.finalist_runs import FinalistRuns
from experiments.tuning.study.folder import COMPARISON, FINALISTS, SUMMARY
from experiments.tuning.study.limits import INTERRUPTED
from experiments.tuning.study.spec import StudySpec
from experiments.tuning.study.summary import Summary
from experiments.tuning.worker.jobs import Finalist
from narm.data.datasets import load_splits
from narm.data.sessions import Splits
from narm.errors import InputError
from narm.evaluation.full_ranking import chosen_targets
from narm.machine.files import atomic_file, write_text
from narm.models import MODELS, ModelName


def run_comparison(given: argparse.Namespace, options: Sequence[str]) -> int:
    """Compare models.

    Args:
        given: a command line, as `experiments.compare` reads it.
        options: the rest of it, for `experiments.search`.
    Returns:
        the exit status.
    Raises:
        InputError: wrong configuration or data.
        KeyboardInterrupt: a person interrupted a search; the same call goes on with it.
    """
    models, metrics = read_models(given.models), read_metrics(given.metrics)
    console = open_console(given)
    found = search_and_compare(models, options, study=given.study, metrics=metrics, quiet=given.quiet)
    if found.comparison is None:
        return EXIT_NO_RESULT
    print_comparison(found.comparison, console)
    console.out(f"table and plot: {found.folder}", highlight=False)
    return EXIT_NO_RESULT if found.without_result else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What the searches of several models came to.

    Attributes:
        comparison: compares the models that have a result; None: no model has one.
        folder: folder of the comparison.
        without_result: models that have no result.
    """

    comparison: ModelComparison | None
    folder: Path
    without_result: Sequence[str]


def search_and_compare(
    models: Sequence[ModelName], options: Sequence[str], *, study: str | None, metrics: Sequence[str], quiet: bool
) -> Compared:
    """Search each model, or go on with its search, and compare what they found.

    Args:
        models: which.
        options: arguments of `experiments.search`, for all of them.
        study: name of the comparison; None: a new one.
        metrics: to compare on test, spelled `MRR@20`.
        quiet: print nothing but errors.
    Raises:
        InputError: the options or the data are wrong.
        KeyboardInterrupt: a person interrupted a search.
    """
    load = cache(load_splits)
    specs = build_specs(models, study, options, load)
    folder = specs[0].output / specs[0].name.removesuffix(f"-{models[0]}")
    if (folder / SUMMARY).exists():  # its run in MLflow would become that of the comparison
        raise InputError(f"study: {folder} is a search: choose another name for the comparison")
    splits = load(specs[0].config.data)
    contenders = _search_all(specs, splits, quiet=quiet)
    missing = sorted(set(models) - {contender.model for contender in contenders})
    if not contenders:
        return Compared(comparison=None, folder=folder, without_result=missing)
    comparison = compare_models(
        contenders,
        chosen_targets(splits.test, specs[0].config.evaluation),
        dataset=splits.name,
        fingerprint=splits.fingerprint,
        objective=specs[0].config.evaluation.valid_metric,
        metrics=metrics,
        seed=specs[0].seed,
    )
    write_comparison(folder, comparison)
    dataset = Dataset.of(splits, specs[0].config)
    record_comparison(comparison, folder, of=specs[0], dataset=dataset, without_result=missing)
    return Compared(comparison=comparison, folder=folder, without_result=missing)


def _search_all(specs: Sequence[StudySpec], splits: Splits, *, quiet: bool) -> list[Contender]:
    """What each search found; those without a result are left out."""
    plans = [Plan(spec=spec, resume=spec.folder.exists(), label=spec.config.model.model) for spec in specs]
    with Display(quiet=quiet) as display:
        results = run_studies(plans, splits, Recording(display).open)
    if len(results) < len(specs) or any(result.reason == INTERRUPTED for result in results):
        raise KeyboardInterrupt
    contenders: list[Contender] = []
    for spec, result in zip(specs, results, strict=True):
        if (contender := _contender(spec, splits, result.summary)) is not None:
            contenders.append(contender)
        else:
            print(f"{spec.config.model.model}: no finalist has a result", file=sys.stderr)
    return contenders


def _contender(spec: StudySpec, splits: Splits, summary: Summary) -> Contender | None:
    """The winner of a search, with what its finalists left; None if there is none."""
    if summary.finals is None:
        return None
    winner = summary.finals.finalists[0]
    finalist = Finalist(number=winner.number, options=winner.params, is_default=winner.is_default)
    runs = FinalistRuns(spec.folder / FINALISTS, spec.config, splits.fingerprint).require(finalist, winner.seeds)
    trained = sum(trial.seconds for trial in summary.trials)
    return Contender(
        model=spec.config.model.model,
        params=winner.params,
        runs=runs,
        trials=len(summary.trials),
        seconds=trained + sum(run.seconds for run in runs),
        depends_on_seed=not MODELS[spec.config.model.model].learned_at_once,
    )


def write_comparison(folder: Path, comparison: ModelComparison) -> None:
    """Write a comparison into its folder, as JSON, Markdown and a figure."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / COMPARISON, json.dumps(asdict(comparison), indent=2, allow_nan=False) + "\n")
    write_text(folder / "comparison.md", markdown(comparison))
    with atomic_file(folder / "by_length.png") as file:
        file.write(plot_by_length(comparison))
