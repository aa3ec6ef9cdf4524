"""What a person looks at when the search is over: the trials, the verdict, and where to look further."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from experiments.reporting.narrow import print_widest
from experiments.reporting.report import race, shippable
from experiments.reporting.report.answer import bounds, counts, failures, notes, ranked, verdict
from experiments.reporting.report.shippable import Shippable
from experiments.tuning.engine.verdict import compared_metrics
from experiments.tuning.study.summary import (
    FinalistSummary,
    Finals,
    IncumbentSummary,
    Summary,
    TrialSummary,
    format_params,
    format_value,
)
from narm.metrics import key_of


def print_summary(summary: Summary, console: Console, *, where: Mapping[str, str], rows: int = 10) -> None:
    """Print the best trials, the finalists, the verdict on the winner, what went wrong, and where to look.

    Args:
        summary: of the search.
        console: where to print.
        where: places to look, by what is to be seen there.
        rows: trials to show, and failures.
    """
    console.print(_trial_table(summary, rows, wide=console.width >= 70))
    if summary.pareto:
        console.print(_pareto_table(summary))
    if summary.finals is not None:
        print_widest(console, _finalist_tables(summary.finals, summary.objective, wide=console.width >= 90))
        _print_shippable(summary.finals, summary.objective, console)
    for line in (*verdict(summary), *bounds(summary)):
        console.print(Text(line))
    for line in (*failures(summary, rows), *(f"{what}: {place}" for what, place in where.items())):
        console.print(Text(line), soft_wrap=True)  # unbroken, so that it can be searched for, or a path pasted


# The search: what one seed on validation says.


def _trial_table(summary: Summary, rows: int, *, wide: bool) -> Table:
    table = _table(f"{summary.study}: {counts(summary)}")
    for heading in ("trial", summary.objective, *(["epoch", "seconds"] if wide else [])):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("parameters", overflow="fold")
    for trial in ranked(summary)[:rows]:
        table.add_row(*_trial_cells(trial, summary, wide=wide))
    return table


def _trial_cells(trial: TrialSummary, summary: Summary, *, wide: bool) -> list[str]:
    value = "" if trial.value is None or math.isnan(trial.value) else f"{trial.value:.4f}"
    epochs = f"{trial.epochs}" if trial.best_epoch is None else f"{trial.best_epoch}/{trial.epochs}"
    effort = [epochs, f"{trial.seconds:.0f}"] if wide else []
    marks = "".join(f" ({note})" for note in notes(trial, summary))
    return [f"{trial.number}", value, *effort, escape(format_params(trial.params) + marks)]


def _pareto_table(summary: Summary) -> Table:
    table = _table("Pareto front: no other trial is better in every objective")
    for heading in ("trial", *summary.pareto[0].values):
        table.add_column(heading, justify="right")
    for point in summary.pareto:
        table.add_row(f"{point.number}", *map(format_value, point.values.values()))
    return table


# The finalists: what several seeds say on test.


def _finalist_tables(finals: Finals, objective: str, *, wide: bool) -> Iterator[Table]:
    """The table, and one for a narrow terminal, which keeps the objective and says who won below the number."""
    yield _finalist_table(finals, objective, wide=wide)
    table = _table(f"Finalists, {race.mean_over_seeds(finals)}")
    for heading in ("trial", f"validation {objective}", f"test {objective}"):
        table.add_column(heading, justify="right")
    for finalist in finals.finalists:
        number, *values, mark = _finalist_cells(finalist, finals, objective, [objective], wide=False)
        table.add_row(f"{number} {mark}".rstrip(), *values)
    if finals.incumbent is not None:
        name, *values, mark = _incumbent_cells(finals.incumbent, finals, [objective], objective, wide=False)
        table.add_row(f"{name} {mark}", *values)
    yield table


def _finalist_table(finals: Finals, objective: str, *, wide: bool) -> Table:
    table = _table(f"Finalists, {race.mean_over_seeds(finals)}")
    table.add_column("trial", justify="right")
    metrics = compared_metrics(objective)
    for heading in (
        f"validation {objective}",
        *(f"test {metric}" for metric in metrics),
        *(["seeds"] if wide and race.differ(finals) else []),
        *(["epochs"] if wide else []),
    ):
        table.add_column(heading, justify="right")
    table.add_column("")
    for finalist in finals.finalists:
        table.add_row(*_finalist_cells(finalist, finals, objective, metrics, wide=wide))
    if finals.incumbent is not None:
        table.add_row(*_incumbent_cells(finals.incumbent, finals, metrics, objective, wide=wide))
    return table


def _finalist_cells(
    finalist: FinalistSummary, finals: Finals, objective: str, metrics: Sequence[str], *, wide: bool
) -> Iterator[str]:
    yield f"{finalist.number}"
    yield str(finalist.valid[key_of(objective)])
    for metric in metrics:
        yield str(finalist.test[key_of(metric)])
    if wide and race.differ(finals):
        yield f"{len(finalist.seeds)}"
    if wide:
        low, high = min(finalist.epochs), max(finalist.epochs)
        yield f"{low}" if low == high else f"{low}-{high}"
    is_winner = finalist.number == finals.winner
    yield " ".join(["(winner)"] * is_winner + ["(default)"] * finalist.is_default)


def _incumbent_cells(
    incumbent: IncumbentSummary, finals: Finals, metrics: Sequence[str], objective: str, *, wide: bool
) -> Iterator[str]:
    yield escape(incumbent.name)
    yield f"{incumbent.valid[key_of(objective)]:.4f}"
    for metric in metrics:
        yield f"{incumbent.test[key_of(metric)]:.4f}"
    if wide and race.differ(finals):
        yield "1"
    if wide:
        yield ""
    yield "(keep)" if finals.kept else "(yours)"


# What ships: how good it is, how large, and how fast.


def _print_shippable(finals: Finals, objective: str, console: Console) -> None:
    rows = list(shippable.shippable(finals, objective))
    if rows:
        print_widest(console, _shippable_tables(rows, finals, objective))
    for note in shippable.notes(finals):
        console.print(Text(note))


def _shippable_tables(rows: Sequence[Shippable], finals: Finals, objective: str) -> Iterator[Table]:
    """The table, and one for a narrow terminal, without validation and Recall."""
    headings = shippable.headings(objective)
    for shown in (range(len(headings)), (1, len(headings) - 2, len(headings) - 1)):
        table = _table(shippable.title(finals))
        table.add_column("")
        for column in shown:
            table.add_column(headings[column], justify="right")
        table.add_column("")
        for row in rows:
            table.add_row(row.name, *(row.figures[column] for column in shown), "(ships)" if row.ships else "")
        yield table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD)
