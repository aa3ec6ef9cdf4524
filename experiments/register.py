"""`python -m experiments.register`: make what a study recommends MLflow's champion."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments.cli.flags import STUDY_HELP, add_study_places
from experiments.cli.parser import Parser
from experiments.cli.running import run_command

EPILOG = """\
A search registers the model to ship by itself when it ends, as the champion unless there is a better one.
This does it again: after an interruption, on another server, or to prefer this study's model.

examples:
  python -m experiments.register ml-100k-recbole-20260102-030405
  python -m experiments.register runs/my-study --tracking-uri http://mlflow.example.com:5000

exit status: 0; 2 wrong usage, or a study without a winner; 3 MLflow did not take it
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Register a model.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, no such study, one without a winner, or one that a search is writing.
    """
    given = build_parser().parse_args(arguments)
    from experiments.cli.run_registration import run_registration

    return run_registration(given)


def build_parser() -> Parser:
    """Every flag."""
    parser = Parser(
        prog="python -m experiments.register",
        description="Register the model that a study recommends in MLflow, as its champion.",
        epilog=EPILOG,
    )
    parser.add_argument("study", metavar="STUDY", help=STUDY_HELP)
    add_study_places(parser)
    parser.add_argument("--tracking-uri", metavar="URI", help="MLflow's (default: the study's)")
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
