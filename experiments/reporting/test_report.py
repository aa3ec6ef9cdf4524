"""The test report of one model, in the console."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments.reporting.narrow import print_widest
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
    print_widest(console, _slice_tables(judgement.slices, _shown(overall, objective)))


def _shown(overall: Slice, objective: str) -> list[str]:
    """Keys of the objective, and of Recall at the same cutoff where it is reported."""
    name, cutoff = parse_metric(objective)
    keys = dict.fromkeys([metric_key(name, cutoff), metric_key("Recall", cutoff)])
    return [key for key in keys if key in overall.metrics]


def _slice_tables(slices: Sequence[Slice], keys: Sequence[str]) -> Iterator[Table]:
    """The table with all intervals, with that of the objective, with none, and with the names in one column."""
    for intervals in (keys, keys[:1], ()):
        yield _slice_table(slices, keys, intervals)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
    table.add_column("of")
    _add_numbers(table, keys)
    for of_slice in slices:
        table.add_row(f"{of_slice.by} {of_slice.name}", *_numbers(of_slice, keys, ()))
    yield table


def _slice_table(slices: Sequence[Slice], keys: Sequence[str], intervals: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False)
    table.add_column("by")
    table.add_column("", no_wrap=True)
    _add_numbers(table, keys)
    ends = [this.by != following.by for this, following in pairwise(slices)]
    begins = [True, *ends]
    for of_slice, is_first, is_last in zip(slices, begins, [*ends, True], strict=True):
        table.add_row(
            of_slice.by if is_first else "",
            of_slice.name,
            *_numbers(of_slice, keys, intervals),
            end_section=is_last,
        )
    return table


def _add_numbers(table: Table, keys: Sequence[str]) -> None:
    for heading in ("targets", *map(_spelled, keys)):
        table.add_column(heading, justify="right", no_wrap=True)


def _numbers(of_slice: Slice, keys: Sequence[str], intervals: Sequence[str]) -> Iterator[str]:
    yield f"{of_slice.n_targets:,}"
    for key in keys:
        yield _with_interval(of_slice, key) if key in intervals else _value(of_slice, key)


def _with_interval(of_slice: Slice, key: str) -> str:
    if key not in of_slice.intervals:
        return _value(of_slice, key)
    low, high = of_slice.intervals[key]
    return f"{_value(of_slice, key)} [{low:.4f}, {high:.4f}]"


def _value(of_slice: Slice, key: str) -> str:
    return f"{of_slice.metrics[key]:.4f}"


def _values(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{_spelled(key)} {value:.4f}" for key, value in metrics.items())


def _spelled(key: str) -> str:
    """A metric's key as prose has it: `MRR@10`, `popularity bias@10`."""
    name, _, cutoff = key.partition("_at_")
    name = {"mrr": "MRR", "ndcg": "NDCG", "recall": "Recall", "hit": "Hit", "precision": "Precision"}.get(name, name)
    return f"{name.replace('_', ' ')}@{cutoff}"
