"""`python -m experiments.reproduce TABLE`: a published table, and what this project reaches on the same data."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments.cli import search_parser
from experiments.cli.parser import Parser
from experiments.cli.published import published
from experiments.cli.running import run_command

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Reproduce a table.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, configuration or data.
        KeyboardInterrupt: a person interrupted a search; the same call goes on with it.
    """
    given, options = build_parser().parse_known_args(arguments)
    search_parser.build_parser().parse_args(options)  # a mistake in them is an error also where nothing is searched
    from experiments.cli.run_reproduction import run_reproduction

    return run_reproduction(given, options)


def build_parser() -> Parser:
    """Every flag."""
    datasets = sorted({table.dataset for tables in published().values() for table in tables})
    parser = Parser(
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
    parser.add_argument("--study", metavar="NAME", help="name of the comparison (default: the table's)")
    parser.add_argument("--quiet", action="store_true", help="print the table only")
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
