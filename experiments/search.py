"""`python -m experiments.search`: search the hyperparameters of NARM, or of a baseline, on a dataset."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from experiments import command_line
from experiments.interruption import INTERRUPTED
from experiments.progress import format_duration
from experiments.queue_sources import Queued, best_of_study, read_queue
from experiments.recorder import WINNER
from experiments.reporting.console import print_summary
from experiments.search_arguments import build_parser, build_spec
from experiments.spec import StudySpec
from experiments.study import run_study
from narm.config_file import OptionsFile, read_config
from narm.data.datasets import dataset_name, load_splits

ALL_FAILED = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a search.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, configuration or data.
    """
    given = build_parser().parse_args(arguments)
    file = read_config(Path(given.config)) if given.config else OptionsFile()
    spec = build_spec(given, file)
    file = file.for_model(spec.config.model.model)
    splits = load_splits(spec.config.data)
    queue = _queue(given, spec, splits.fingerprint)
    if not given.quiet:
        _announce(spec)
        for note in (*file.notes, *splits.notes):
            print(f"note: {note}")
    result = run_study(spec, splits, resume=bool(given.resume), queue=queue, quiet=given.quiet)
    if not given.quiet:
        print(f"The search ended: {result.reason}.")
        report, winner = spec.folder / "report.html", spec.folder / WINNER
        where = {"report": str(report)} if report.exists() else {}
        where |= {"model to ship": str(winner)} if winner.is_file() else {}
        where |= {"MLflow": result.mlflow}
        print_summary(result.summary, Console(), where=where)
    if result.reason == INTERRUPTED:
        return command_line.INTERRUPTED
    return ALL_FAILED if result.summary.best is None else 0


def _queue(given: argparse.Namespace, spec: StudySpec, fingerprint: str) -> list[Queued]:
    """What a person wants tried first: configurations of their own, then the best of earlier studies."""
    queue = read_queue(Path(given.enqueue), spec.space, spec.config) if given.enqueue else []
    for study in given.warm_start:
        queue += best_of_study(
            study, storage=spec.storage, space=spec.space, config=spec.config, fingerprint=fingerprint
        )
    return queue


def _announce(spec: StudySpec) -> None:
    budget = f", {format_duration(spec.time_budget)} in all" if spec.time_budget else ""
    print(
        f"Searching {spec.space.name} on {dataset_name(spec.config.data.dataset)}: {spec.trials_possible} trials of "
        f"{_epochs(spec)}, {spec.concurrency} at once{budget}. Study {spec.name}."
    )
    outside = spec.space.why_outside(spec.config)
    if outside:
        print(f"The default configuration lies outside the space ({outside}); it runs as trial 0 all the same.")


def _epochs(spec: StudySpec) -> str:
    epochs = spec.config.training.epochs
    return "one epoch each" if epochs == 1 else f"{epochs} epochs at most"


if __name__ == "__main__":
    sys.exit(command_line.run_command(main))
