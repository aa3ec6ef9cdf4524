"""`python -m experiments.sync`: send MLflow what a search could not, or everything to another server."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments.cli.flags import STUDY_HELP, add_study_places
from experiments.cli.parser import Parser
from experiments.cli.running import run_command

EPILOG = """\
A search leaves everything that is meant for MLflow in runs/STUDY/outbox.jsonl, and notes how much of it has arrived.
Sending something twice changes nothing.

examples:
  python -m experiments.sync my-study
  python -m experiments.sync my-comparison
  python -m experiments.sync my-study --tracking-uri http://mlflow.example.org:5000
  python -m experiments.sync my-study --all                      the server has lost its database

exit status: 0 the server has everything; 1 it does not; 2 wrong usage, or the search is still running
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Send what an outbox holds.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, no such study, or its search is still running.
    """
    given = build_parser().parse_args(arguments)
    from experiments.cli.run_sync import run_sync

    return run_sync(given)


def build_parser() -> Parser:
    """Every flag."""
    parser = Parser(
        prog="python -m experiments.sync",
        description="Send MLflow what a search could not, or everything to another server.",
        epilog=EPILOG,
    )
    parser.add_argument("study", metavar="STUDY", help=f"{STUDY_HELP}, or a comparison's")
    add_study_places(parser)
    parser.add_argument("--tracking-uri", metavar="URI", help="MLflow's (default: that of the search)")
    parser.add_argument("--all", action="store_true", help="also what has been sent already")
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
