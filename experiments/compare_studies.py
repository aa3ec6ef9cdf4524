"""`python -m experiments.compare-studies A B`: two searches of the same data, side by side."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.cli import command_line
from narm.errors import InputError
from narm.machine.files import require_writable, write_text

if TYPE_CHECKING:
    from experiments.tuning.study.saved_study import SavedStudy

EPILOG = """\
Studies of other data are refused. The winners are compared on the same test targets, where both searches trained
finalists: by a paired bootstrap over test sessions, as a search compares its own.

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
    from rich.console import Console

    from experiments.reporting.study_comparison.comparison import compare_studies
    from experiments.reporting.study_comparison.console import print_comparison

    page = require_writable(Path(given.html)) if given.html else None
    first, second = (_open(study, given.output, given.storage) for study in (given.a, given.b))
    compared = compare_studies(first, second)
    print_comparison(compared, Console())
    if page is not None:
        from experiments.reporting.study_comparison.page import comparison_page  # plotly takes a second to import

        write_text(page, comparison_page(compared))
        print(f"report: {page}", file=sys.stderr)
    return 0


def _open(study: str, output: str, storage: str | None) -> SavedStudy:
    """A study by its name, or by its folder where that is another than `--output`."""
    name, within = command_line.study_place(study, output)
    if name != study and storage is not None:
        raise InputError(
            f"'{study}' is a folder, and --storage goes with names: name the study, or leave --storage out"
        )
    from experiments.tuning.study.saved_study import open_saved

    return open_saved(name, output=within, storage=storage)


def build_parser() -> command_line.Parser:
    """Every flag."""
    parser = command_line.Parser(
        prog="python -m experiments.compare-studies",
        description="Show two searches of the same data side by side.",
        epilog=EPILOG,
    )
    parser.add_argument("a", metavar="A", help="name of a study, or its folder")
    parser.add_argument("b", metavar="B", help="name of another, or its folder")
    parser.add_argument("--html", metavar="FILE", help="write an HTML page too")
    command_line.add_study_places(parser)
    return parser


if __name__ == "__main__":
    sys.exit(command_line.run_command(main))
