"""`python -m experiments.reproduce TABLE`: a published table, and what this project reaches on the same data."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments.cli import command_line, search_parser
from experiments.cli.published import PublishedTable, find_tables, published
from experiments.compare import run_comparison
from narm.errors import InputError

EPILOG = """\
A dataset is searched as by experiments.compare, with the models that the table has; every option of that command may
be given. --data names the folder that has the prepared datasets, each in a folder of its name:
{datasets}.
With --comparison nothing is trained: the figures are those of an earlier comparison on that dataset.

examples:
  python -m experiments.reproduce sr-gnn --data datasets --trials 20
  python -m experiments.reproduce sr-gnn --comparison diginetica=runs/spring/comparison.json

exit status: 0; 1 none of the datasets is at hand; 2 wrong usage, configuration or data; 130 interrupted
"""
NOT_AT_HAND = 1
METRICS = ("Recall@20", "MRR@20")

Ours = Mapping[str, Mapping[str, float]]
"""Of each model, `Recall@20` and `MRR@20` on test, in percent."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Reproduce a table.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, configuration or data.
    """
    given, rest = build_parser().parse_known_args(arguments)
    search_parser.build_parser().parse_args(rest)  # what is wrong is told also where nothing is searched
    if given.data is not None and not Path(given.data).is_dir():
        raise InputError(f"data: {given.data} is no folder; name the one that has the prepared datasets")
    tables = find_tables(given.table)
    earlier = _earlier(given.comparison, tables)
    console, at_hand = Console(), 0
    for table in tables:
        ours = earlier.get(table.dataset) or _searched(table, given, rest)
        if isinstance(ours, int):
            return ours
        at_hand += ours is not None
        _print(table, ours, console)
    return 0 if at_hand else NOT_AT_HAND


def _searched(table: PublishedTable, given: argparse.Namespace, options: Sequence[str]) -> Ours | int | None:
    """Figures of a comparison that is made now; None if the dataset is not at hand."""
    folder = Path(given.data or ".") / table.dataset
    if given.data is None or not folder.is_dir():
        return None
    models = [row.ours for row in table.rows if row.ours]
    study = f"{given.study or table.table}-{table.dataset}"
    protocol = ["--unknown_items", "keep"]  # the papers' test targets are all that the prepared test files have
    found = run_comparison(
        models, [*protocol, *options, "--dataset", str(folder)], study=study, metrics=METRICS, quiet=given.quiet
    )
    if isinstance(found, int):
        return found
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
    shown = Table(title=f"{table.dataset}: {table.source}", title_justify="left", box=SIMPLE_HEAD)
    shown.add_column("model")
    for metric in METRICS:
        for heading in (f"{metric} published", "ours", "difference"):
            shown.add_column(heading, justify="right")
    for row in table.rows:
        of_one = (ours or {}).get(row.ours or "")
        cells = []
        for metric, value in zip(METRICS, (row.recall, row.mrr), strict=True):
            cells += [f"{value:.2f}", *_beside(value, of_one, metric)]
        shown.add_row(row.name, *cells)
    console.print(shown)
    for sentence in _sentences(table, ours):
        console.print(Text(sentence))


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


def build_parser() -> command_line.Parser:
    """Every flag."""
    datasets = sorted({table.dataset for tables in published().values() for table in tables})
    parser = command_line.Parser(
        prog="python -m experiments.reproduce",
        description="Set a published table beside what this project reaches on the same data.",
        epilog=EPILOG.format(datasets=", ".join(datasets)),
    )
    parser.add_argument("table", metavar="TABLE", help=", ".join(published()))
    parser.add_argument("--data", metavar="DIR", help="folder of the prepared datasets")
    parser.add_argument(
        "--comparison",
        action="append",
        default=[],
        metavar="DATASET=FILE",
        help="a comparison.json to take figures from",
    )
    parser.add_argument("--study", metavar="NAME", help="of the comparison (default: the table's name)")
    parser.add_argument("--quiet", action="store_true", help="print the table only")
    return parser


if __name__ == "__main__":
    sys.exit(command_line.run_command(main))
