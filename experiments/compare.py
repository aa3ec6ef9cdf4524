"""`python -m experiments.compare`: every model on one dataset, each tuned with the same budget, judged side by side."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments.cli import search_parser
from experiments.cli.interpreter import require_docstrings
from experiments.cli.output import add_output_flags
from experiments.cli.parser import Parser
from experiments.cli.running import run_command
from narm.models import MODELS

EPILOG = """\
Every model gets a search of its own: the same engine, number of trials, validation split and seeds. Any option of
experiments.search may be given and holds for all of them; one that only some models use holds for those, a --space
too. Else each model has its own space. There is no time budget, unless you give one.
A comparison that was interrupted goes on when it is called again with the same --study.

examples:
  python -m experiments.compare --dataset clicks.parquet
  python -m experiments.compare --dataset clicks.parquet --models narm,v_sknn,s_pop --trials 20 --epochs 15
  python -m experiments.compare --dataset clicks.parquet --study spring --finalist-seeds 5

exit status: 0; 2 wrong usage, configuration or data; 3 a model has no result; 130 interrupted, goes on when repeated
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare models.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, configuration or data.
        KeyboardInterrupt: a person interrupted a search; the same call goes on with it.
    """
    given, options = build_parser().parse_known_args(arguments)
    search_parser.build_parser().parse_args(options)  # a mistake in them is one before Ray takes its time to import
    require_docstrings()
    from experiments.cli.run_comparison import run_comparison

    return run_comparison(given, options)


def build_parser() -> Parser:
    """Every flag."""
    parser = Parser(
        prog="python -m experiments.compare",
        description="Tune several models on one dataset with the same budget, and judge them side by side on test.",
        epilog=EPILOG,
    )
    known = ",".join(MODELS)
    parser.add_argument("--models", metavar="A,B,...", help=f"which (default: {known})")
    parser.add_argument(
        "--metrics", default="MRR@20,Recall@20", metavar="A,B", help="metrics to compare on test (default: %(default)s)"
    )
    parser.add_argument(
        "--study", metavar="NAME", help="name of the comparison; studies are NAME-MODEL (default: a new one)"
    )
    add_output_flags(parser)
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
