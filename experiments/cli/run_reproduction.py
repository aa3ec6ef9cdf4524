"""Sets a published table beside what this project reaches on the same data."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments.cli.exit_status import EXIT_NO_RESULT, EXIT_NOT_AT_HAND
from experiments.cli.published import PublishedTable, find_tables
from experiments.reporting.messages import Messages
from experiments.reporting.narrow import print_widest
from narm.errors import InputError

METRICS = ("Recall@20", "MRR@20")

Ours = Mapping[str, Mapping[str, float]]
"""`Recall@20` and `MRR@20` on test, in percent, by model."""


def run_reproduction(given: argparse.Namespace, options: Sequence[str]) -> int:
    """Reproduce a table.

    Args:
        given: a command line, as `experiments.reproduce` reads it.
        options: the rest of it, for `experiments.search`.
    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, configuration or data.
        KeyboardInterrupt: a person interrupted a search.
    """
    if given.data is not None and not Path(given.data).is_dir():
        raise InputError(f"data: {given.data} is no folder; name the one that has the prepared datasets")
    tables = find_tables(given.table)
    earlier = _earlier(given.comparison, tables)
    console, at_hand = Messages(), 0
    for table in tables:
        ours = earlier.get(table.dataset)
        folder = Path(given.data or ".") / table.dataset
        if not ours and given.data is not None and folder.is_dir():
            study = f"{given.study or table.table}-{table.dataset}"
            ours = _search(table, folder, study, options, quiet=given.quiet)
            if ours is None:
                return EXIT_NO_RESULT
        at_hand += ours is not None
        _print(table, ours, console)
    return 0 if at_hand else EXIT_NOT_AT_HAND


def _search(table: PublishedTable, folder: Path, study: str, options: Sequence[str], *, quiet: bool) -> Ours | None:
    """Figures of a comparison that is made now; None if no model has a result."""
    from experiments.cli.run_comparison import search_and_compare  # Ray and MLflow take seconds to import

    models = [row.ours for row in table.rows if row.ours]
    protocol = ["--unknown_items", "keep"]  # the papers' test targets are all that the prepared test files have
    found = search_and_compare(
        models, [*protocol, *options, "--dataset", str(folder)], study=study, metrics=METRICS, quiet=quiet
    )
    if found.comparison is None:
        return None
    return {row.model: {metric: 100 * row.test[metric].mean for metric in METRICS} for row in found.comparison.rows}


def _earlier(given: Sequence[str], tables: Sequence[PublishedTable]) -> dict[str, Ours]:
    """Figures of the comparisons that the command line names, by dataset."""
    found = {}
    for argument in given:
        dataset, _, path = argument.partition("=")
        known = [table.dataset for table in tables]
        if dataset not in known or not path:
            raise InputError(f"comparison: '{argument}' is no DATASET=FILE, with a dataset of {', '.join(known)}")
        found[dataset] = _read_comparison(Path(path), dataset)
    return found


def _read_comparison(path: Path, dataset: str) -> Ours:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        name = content["dataset"]
        ours = {
            row["model"]: {metric: 100 * row["test"][metric]["mean"] for metric in METRICS} for row in content["rows"]
        }
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: no comparison of {' and '.join(METRICS)} that experiments.compare wrote "
            f"({type(error).__name__}: {error})"
        ) from None
    if not re.fullmatch(rf"{re.escape(dataset)}(\..*)?", str(name)):  # a file's name may have an end
        raise InputError(f"{path}: is a comparison on {name}, not on {dataset}")
    return ours


def _print(table: PublishedTable, ours: Ours | None, console: Console) -> None:
    print_widest(console, _tables(table, ours))
    for sentence in _sentences(table, ours):
        console.print(Text(sentence))


def _tables(table: PublishedTable, ours: Ours | None) -> Iterator[Table]:
    """The table, and two for narrow terminals, without the differences."""
    for n_columns, padding in ((3, (0, 1)), (2, (0, 1)), (2, (0, 0))):
        title = f"{table.dataset}: {table.source}"
        shown = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=padding, pad_edge=any(padding))
        shown.add_column("model", overflow="fold")
        for metric in METRICS:
            for heading in (f"{metric} published", "ours", "difference")[:n_columns]:
                shown.add_column(heading, justify="right")
        for row in table.rows:
            of_one = (ours or {}).get(row.ours or "")
            cells: list[str] = []
            for metric, value in zip(METRICS, (row.recall, row.mrr), strict=True):
                cells += [f"{value:.2f}", *_beside(value, of_one, metric)][:n_columns]
            shown.add_row(row.name, *cells)
        yield shown


def _beside(value: float, of_one: Mapping[str, float] | None, metric: str) -> list[str]:
    return ["", ""] if of_one is None else [f"{of_one[metric]:.2f}", f"{of_one[metric] - value:+.2f}"]


def _sentences(table: PublishedTable, ours: Ours | None) -> Iterator[str]:
    yield f"Note: {table.note}."
    if ours is None:
        yield f"{table.dataset} is not at hand: prepare it as the note says, and name its parent folder with --data."
        return
    if not any(row.ours in ours for row in table.rows):
        yield f"No row of this table was measured: the comparison has {', '.join(ours)}."
        return
    short = [
        f"{row.name} by {value - ours[row.ours][metric]:.2f} in {metric}"
        for row in table.rows
        if row.ours in ours
        for metric, value in zip(METRICS, (row.recall, row.mrr), strict=True)
        if row.ours and ours[row.ours][metric] < value
    ]
    yield f"We fall short of {', '.join(short)}." if short else "We fall short of none of the rows that we have."
