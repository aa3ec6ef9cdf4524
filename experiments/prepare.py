"""`python -m experiments.prepare`: a raw log becomes a prepared dataset, a folder that `--dataset` takes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments.cli.flags import add_options
from experiments.cli.output import add_output_flags
from experiments.cli.parser import Parser
from experiments.cli.running import run_command

EPILOG = """\
The log is a file in any format that --dataset takes, known by its name, or a folder of RecBole's. Any option of the
data may be given (see --help-options) and wins over the recipe.

recipes:
  yoochoose-1/64, yoochoose-1/4   of yoochoose-clicks.dat (RecSys Challenge 2015)
  diginetica                      of train-item-views.csv (CIKM Cup 2016)

examples:
  python -m experiments.prepare yoochoose-clicks.dat --recipe yoochoose-1/64 --output data/yoochoose-1-64
  python -m experiments.prepare clicks.csv.zst --output data/shop --session_gap 30m --test_period 7d
  python -m experiments.prepare dataset/ml --benchmark-filename train,valid,test --output data/ml
  python -m experiments.search --dataset data/shop

exit status: 0; 2 wrong usage, configuration or data; 3 with --check, counts that are not the published ones
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prepare a dataset.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, configuration or data.
    """
    given = build_parser().parse_args(arguments)
    from experiments.cli.run_preparation import run_preparation

    return run_preparation(given)


def build_parser() -> Parser:
    """Every flag."""
    parser = Parser(
        prog="python -m experiments.prepare",
        description="Make a prepared dataset of a raw log: Parquet files, and a card that says what they are.",
        epilog=EPILOG,
    )
    parser.add_argument("log", metavar="LOG", help="a file of events, or a folder of RecBole's")
    parser.add_argument("--output", metavar="FOLDER", required=True, help="the folder to make")
    parser.add_argument("--recipe", metavar="NAME", help="how the literature makes the dataset")
    parser.add_argument("--check", action="store_true", help="exit with status 3 if counts are not the published ones")
    add_output_flags(parser)
    add_options(parser, "data", skip=("dataset",))
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
