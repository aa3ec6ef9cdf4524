"""A table in Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1) -> list[str]:
    """The lines of a table; numbers stand to the right.

    Args:
        headings: of the columns.
        rows: cells, as Markdown; a bar inside one is escaped.
        words: columns of words, which stand to the left: the first so many, or the last where it is negative.
    """
    n = len(headings)
    left = range(words) if words >= 0 else range(n + words, n)
    rule = ["---" if column in left else "---:" for column in range(n)]
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    return [f"| {' | '.join(cells)} |" for cells in (headings, rule, *escaped)]
