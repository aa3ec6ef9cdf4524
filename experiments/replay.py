"""`python -m experiments.replay`: train a trial of a study again, and see whether it gets its value again."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments.cli.flags import STUDY_HELP, add_options, add_study_places
from experiments.cli.parser import Parser
from experiments.cli.running import run_command
from narm.machine.device import DEVICES

EPILOG = """\
The trial is trained with its own seed and options for as many epochs as the study knows of, also where the scheduler
stopped it. On the same machine, packages and threads its value is the same to the last bit; others add numbers up in
another order, and it is the same within rounding: to 1e-4, unless so many epochs lie between that this grew.
The study is only read.

Data that have moved since may be given anew: --dataset elsewhere/clicks.csv (see --help-options).

examples:
  python -m experiments.replay ml-100k-recbole-20260102-030405 7
  python -m experiments.replay clicks 7 --storage postgresql://me@db/narm

exit status: 0 the value again, 1 another, 2 wrong usage, configuration or data, 130 interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Train a trial again.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, no such study or trial, or other data.
    """
    given = build_parser().parse_args(arguments)
    from experiments.cli.run_replay import run_replay

    return run_replay(given)


def build_parser() -> Parser:
    """Every flag."""
    parser = Parser(
        prog="python -m experiments.replay",
        description="Train a trial of a study again, and see whether it gets its value again.",
        epilog=EPILOG,
    )
    parser.add_argument("study", metavar="STUDY", help=STUDY_HELP)
    parser.add_argument("number", metavar="NUMBER", type=int, help="number of the trial")
    add_study_places(parser)
    parser.add_argument("--threads", type=int, metavar="N", help="threads (default: as in the study)")
    parser.add_argument("--device", metavar="|".join(DEVICES), help="where to compute (default: as in the study)")
    add_options(parser, "data")
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
