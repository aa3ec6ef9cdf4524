"""The widest table that fits is printed, and no word of it is cut."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from experiments.reporting.narrow import print_widest

WORDS = st.lists(st.text("abcdefg", min_size=1, max_size=9), min_size=1, max_size=3).map(" ".join)


def tables(names: list[str], *, no_wrap: bool) -> Iterator[Table]:
    for n_columns in (4, 2, 1):
        table = Table()
        for column in range(n_columns):
            table.add_column(f"column{column}", no_wrap=no_wrap)
        for name in names:
            table.add_row(*[name] * n_columns)
        yield table


def printed(width: int, names: list[str], *, no_wrap: bool) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_widest(console, tables(names, no_wrap=no_wrap))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@given(names=st.lists(WORDS, min_size=1, max_size=4), width=st.integers(40, 120), no_wrap=st.booleans())
def test_every_row_keeps_all_its_words(names, width, no_wrap):
    shown = printed(width, names, no_wrap=no_wrap)
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= width
    for name in names:
        assert all(word in shown for word in name.split())


@pytest.mark.parametrize(("width", "n_columns"), [(80, 4), (40, 2), (15, 1), (5, 1)])
def test_a_narrower_terminal_gets_fewer_columns(width, n_columns):
    assert printed(width, ["a"], no_wrap=True).splitlines()[0].count("┳") == n_columns - 1
