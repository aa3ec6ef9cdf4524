"""Tables for terminals of any width."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table

_ANY = 10_000  # characters


def print_widest(console: Console, tables: Iterable[Table]) -> None:
    """Print the first table that fits without a word of it being cut, or else the last one.

    Args:
        console: where to print.
        tables: the same table with less and less in it.
    """
    anywhere = console.options.update(max_width=_ANY)  # else no table would be wider than the terminal
    for table in tables:
        for column in table.columns:
            column.min_width = _narrowest(column)
        if console.measure(table, options=anywhere).minimum <= console.width:
            break
    console.print(table)


def _narrowest(column: Column) -> int | None:
    """The width that cuts nothing, which rich takes no care of when it makes a table narrower."""
    if column.overflow == "fold":
        return None
    cells = [str(cell) for cell in (column.header, *column.cells)]
    return max(cell_len(part) for cell in cells for part in ([cell] if column.no_wrap else cell.split() or [""]))
