"""What `--plan` says: what a search would take, in a few lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from statistics import fmean

from experiments.reporting.durations import format_duration
from experiments.tuning.planning.estimate import Estimate
from experiments.tuning.planning.probe import Cost
from experiments.tuning.study.spec import StudySpec
from narm.data.sessions import Splits


def estimate_lines(estimate: Estimate, spec: StudySpec, splits: Splits) -> Iterator[str]:
    """The lines, for a person.

    Args:
        estimate: what was measured.
        spec: the study.
        splits: its data.
    """
    threads = "1 thread" if spec.threads == 1 else f"{spec.threads} threads"
    yield (
        f"{splits.name} has {len(splits.train):,} training targets, {splits.n_items - 1:,} items and "
        f"{len(splits.valid):,} validation targets."
    )
    yield f"A pass over them, and a validation, take a worker of {threads}, measured on a part:"
    yield f"  default configuration  {_cost(estimate.default)}"
    if estimate.recipe is not None:
        yield f"  recipe                 {_cost(estimate.recipe)}"
    yield f"  {len(estimate.drawn)} from the space       {_range(estimate.drawn)}"
    yield f"A trial holds up to {_megabytes(estimate.drawn):,.0f} MB: weights, and what training needs beside them."
    yield (
        f"The search: {spec.trials_possible} trials, {spec.scheduler}, at most {estimate.trial_epochs:,} epochs in "
        f"all: about {_duration(estimate.search_seconds)}, {spec.concurrency} at once, if none ends early."
    )
    if estimate.finalist_epochs:
        yield (
            f"Then finalists, until their early stop: about {_duration(estimate.finalists_seconds)}, if that is after "
            "as many epochs as a trial may have."
        )
    if spec.time_budget is not None:
        yield from _budget(estimate, spec, spec.time_budget)


def estimate_document(estimate: Estimate) -> str:
    """The estimate in JSON, for a program; it ends with a newline."""
    seconds = {"search_seconds": estimate.search_seconds, "finalists_seconds": estimate.finalists_seconds}
    return json.dumps(asdict(estimate) | seconds, indent=2) + "\n"


def _budget(estimate: Estimate, spec: StudySpec, seconds: float) -> Iterator[str]:
    held = min(estimate.epochs_within(seconds), estimate.trial_epochs)
    yield f"The time budget of {format_duration(seconds)} holds about {held:,} of the search's epochs."
    if held < spec.trials_possible:
        yield (
            "That is less than an epoch for each trial: allow more time, or ask for fewer --trials, a cheaper "
            f"--loss_type, or shorter epochs (--epochs_per_pass {_parts(estimate, spec, seconds)})."
        )


def _parts(estimate: Estimate, spec: StudySpec, seconds: float) -> int:
    """Into how many epochs to divide a pass, so that each trial has a few of them."""
    wanted = seconds * estimate.concurrency / (4 * spec.trials_possible)
    mean_pass = fmean(cost.pass_seconds for cost in estimate.drawn)
    return max(2, min(100, round(mean_pass / wanted)))


def _cost(cost: Cost) -> str:
    return f"{_duration(cost.pass_seconds)}, {_duration(cost.validation_seconds)}"


def _range(costs: Sequence[Cost]) -> str:
    seconds = [cost.pass_seconds for cost in costs]
    validations = [cost.validation_seconds for cost in costs]
    return (
        f"{_duration(min(seconds))} to {_duration(max(seconds))}, {_duration(fmean(seconds))} on average; "
        f"{_duration(fmean(validations))}"
    )


def _duration(seconds: float) -> str:
    """As elsewhere, but for few seconds, which are no whole ones."""
    return f"{seconds:.1f} s" if seconds < 9.95 else format_duration(seconds)


def _megabytes(costs: Sequence[Cost]) -> float:
    return max(cost.parameter_bytes for cost in costs) / 1e6
