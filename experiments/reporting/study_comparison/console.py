"""Two searches side by side, in the console."""

from __future__ import annotations

from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments.reporting.study_comparison.comparison import Row, StudyComparison


def print_comparison(compared: StudyComparison, console: Console) -> None:
    """Print the verdict, what the studies came to, what they spent, and how they differ."""
    console.print(Text(compared.verdict, style="bold"))
    for comparison in compared.winners[1:]:
        figures = f"{comparison.difference:+.4f} [{comparison.low:+.4f}, {comparison.high:+.4f}]"
        console.print(Text(f"{comparison.metric}: {figures}"))
    for note in compared.notes:
        console.print(Text(note))
    # Names have a date and no blanks: in a column of a narrow window they break anywhere.
    for letter, study in (("A", compared.first), ("B", compared.second)):
        console.print(Text(f"{letter}: {study.name}"), soft_wrap=True)
    for title, rows in compared.tables.items():
        if rows:
            console.print(_table(title, rows))


def _table(title: str, rows: Mapping[str, Row]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("", overflow="fold")
    for letter in "AB":
        table.add_column(letter, overflow="fold")
    for what, (first, second) in rows.items():
        table.add_row(Text(what), Text(first), Text(second))
    return table
