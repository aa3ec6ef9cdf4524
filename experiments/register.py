"""`python -m experiments.register`: make what a study recommends MLflow's champion."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from experiments import command_line, outbox
from experiments.environment import mask_credentials
from experiments.mirror import STUDY_RUN, Mirror
from experiments.outbox import Outbox, Update, root_cause
from experiments.recorder import SUMMARY, WINNER
from experiments.saved_study import recorded_uri
from experiments.shipping.registry import CHAMPION, registration_of
from experiments.summary import read_summary
from experiments.tracking import absolute_uri
from narm.errors import InputError

EPILOG = """\
A search registers the model to ship by itself when it comes to its end, as the champion unless a better one stands.
This does it again: after an interruption, on another server, or to prefer this study's model.

examples:
  python -m experiments.register ml-100k-recbole-20260102-030405
  python -m experiments.register my-study --tracking-uri http://mlflow.example.com:5000

exit status: 0; 2 wrong usage, or a study without a winner; 3 MLflow did not take it
"""
REFUSED = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Register a model.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, no such study, one without a winner, or one that a search is writing.
    """
    given = build_parser().parse_args(arguments)
    folder = Path(given.output) / given.study
    summary, checkpoint = read_summary(folder / SUMMARY), folder / WINNER
    if not checkpoint.is_file():
        raise InputError(f"{checkpoint}: no such file: the study has no winner yet, see --resume of experiments.search")
    uri = absolute_uri(given.tracking_uri or recorded_uri(given.study, Path(given.output), given.storage))
    registration = registration_of(summary, checkpoint, alias=CHAMPION)
    update = Update(run=STUDY_RUN, time=time.time_ns() // 1_000_000, registration=asdict(registration))
    held = Outbox(folder / outbox.FILE, {}, receiver=mask_credentials(uri))  # no search goes on meanwhile
    try:
        Mirror(uri, held.header).send([update])
    except Exception as error:  # whatever the client raises
        print(f"error: MLflow at {mask_credentials(uri)} did not take it: {root_cause(error)}", file=sys.stderr)
        return REFUSED
    finally:
        held.close()
    print(f"models:/{registration.name}@{CHAMPION}")
    return 0


def build_parser() -> command_line.Parser:
    """Every flag."""
    parser = command_line.Parser(
        prog="python -m experiments.register",
        description="Register the model that a study recommends in MLflow, as its champion.",
        epilog=EPILOG,
    )
    parser.add_argument("study", metavar="STUDY", help="its name")
    command_line.add_study_places(parser)
    parser.add_argument("--tracking-uri", metavar="URI", help="MLflow's (default: the study's)")
    return parser


if __name__ == "__main__":
    sys.exit(command_line.run_command(main))
