"""`python -m experiments.report`: what a search found, as a page to read and as Markdown to paste."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments.cli.flags import STUDY_HELP, add_study_places
from experiments.cli.parser import Parser
from experiments.cli.running import run_command
from experiments.tuning.study.folder import PAGE

EPILOG = """\
A search writes the page itself when it ends; this writes it anew, also while a search runs. With --recompute the
verdict on the finalists is today's, from the ranks that their runs left: for a search of an earlier version.

examples:
  python -m experiments.report ml-100k-recbole-20260102-030405
  python -m experiments.report runs/my-study --html winner.html --markdown -
  python -m experiments.report an-old-study --recompute --dataset clicks.csv

exit status: 0; 2 wrong usage, or no such study
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report of a study.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, no such study, or a file that cannot be written.
    """
    given = build_parser().parse_args(arguments)
    from experiments.cli.run_report import run_report

    return run_report(given)


def build_parser() -> Parser:
    """Every flag."""
    parser = Parser(
        prog="python -m experiments.report",
        description="Write what a search found as one HTML page that needs no network.",
        epilog=EPILOG,
    )
    parser.add_argument("study", metavar="STUDY", help=STUDY_HELP)
    parser.add_argument("--html", metavar="FILE", help=f"the page (default: OUTPUT/STUDY/{PAGE})")
    parser.add_argument("--markdown", metavar="FILE", help="a summary for a pull request; -: print it")
    parser.add_argument("--recompute", action="store_true", help="judge the finalists again; it needs the data")
    parser.add_argument("--dataset", metavar="FILE", help="where the data are now, for --recompute")
    add_study_places(parser)
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
