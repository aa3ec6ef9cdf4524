"""The test report of one model, in the console."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from narm.evaluation.slices import Slice
from narm.evaluation.test_report import TestReport
from narm.metrics import metric_key, parse_metric


def print_judgement(judgement: TestReport, console: Console, *, heading: str, objective: str) -> None:
    """Print all metrics with their 95 % intervals, and the objective and Recall beside it for each slice.

    Args:
        judgement: the test report.
        console: where to print.
        heading: name of the model.
        objective: metric shown for each slice, spelled `MRR@10`.
    """
    overall = judgement.overall
    counts = f"{overall.n_targets:,} targets of {overall.n_sessions:,} sessions"
    lines = [
        f"{heading}: {counts}, with 95 % intervals",
        ", ".join(f"{_spelled(key)} {_with_interval(overall, key)}" for key in overall.metrics),
        f"lists: {_values(judgement.beyond_accuracy)}",
    ]
    if judgement.sampled:
        lines.append(f"not comparable, among sampled negatives: {_values(judgement.sampled)}")
    for line in lines:
        console.print(Text(line), soft_wrap=True)
    console.print(_slice_table(judgement.slices, _shown(overall, objective)))


def _shown(overall: Slice, objective: str) -> list[str]:
    """Keys of the objective, and of Recall at the same cutoff where it is reported."""
    name, cutoff = parse_metric(objective)
    keys = dict.fromkeys([metric_key(name, cutoff), metric_key("Recall", cutoff)])
    return [key for key in keys if key in overall.metrics]


def _slice_table(slices: Sequence[Slice], keys: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False)
    table.add_column("by")
    table.add_column("", no_wrap=True)
    for heading in ("targets", *map(_spelled, keys)):
        table.add_column(heading, justify="right", no_wrap=True)
    ends = [this.by != following.by for this, following in pairwise(slices)]
    begins = [True, *ends]
    for of_slice, is_first, is_last in zip(slices, begins, [*ends, True], strict=True):
        table.add_row(
            of_slice.by if is_first else "",
            of_slice.name,
            f"{of_slice.n_targets:,}",
            *(_with_interval(of_slice, key) for key in keys),
            end_section=is_last,
        )
    return table


def _with_interval(of_slice: Slice, key: str) -> str:
    value = f"{of_slice.metrics[key]:.4f}"
    if key not in of_slice.intervals:
        return value
    low, high = of_slice.intervals[key]
    return f"{value} [{low:.4f}, {high:.4f}]"


def _values(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{_spelled(key)} {value:.4f}" for key, value in metrics.items())


def _spelled(key: str) -> str:
    """A metric's key as prose has it: `MRR@10`, `popularity bias@10`."""
    name, _, cutoff = key.partition("_at_")
    name = {"mrr": "MRR", "ndcg": "NDCG", "recall": "Recall", "hit": "Hit", "precision": "Precision"}.get(name, name)
    return f"{name.replace('_', ' ')}@{cutoff}"
