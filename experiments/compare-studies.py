"""`python -m experiments.compare-studies A B`: two searches of the same data, side by side."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments.cli.flags import add_study_places
from experiments.cli.parser import Parser
from experiments.cli.running import run_command

EPILOG = """\
Studies of other data are refused. The winners are compared on the same test targets, where both searches trained
finalists: by an interval for other sessions and other seeds, as a search compares its own.

examples:
  python -m experiments.compare-studies quick-search long-search
  python -m experiments.compare-studies here ../elsewhere/runs/there --html compared.html

exit status: 0; 2 wrong usage, no such study, or other data
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare two studies.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, no such study, studies of other data, or a file that cannot be written.
    """
    given = build_parser().parse_args(arguments)
    from experiments.cli.run_study_comparison import run_study_comparison

    return run_study_comparison(given)


def build_parser() -> Parser:
    """Every flag."""
    parser = Parser(
        prog="python -m experiments.compare-studies",
        description="Show two searches of the same data side by side.",
        epilog=EPILOG,
    )
    parser.add_argument("a", metavar="A", help="name of a study, or its folder")
    parser.add_argument("b", metavar="B", help="name of another, or its folder")
    parser.add_argument("--html", metavar="FILE", help="write an HTML page too")
    add_study_places(parser)
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
