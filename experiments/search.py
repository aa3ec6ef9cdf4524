"""`python -m experiments.search`: search the hyperparameters of NARM, or of a baseline, on a dataset."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments.cli.interpreter import require_docstrings
from experiments.cli.running import run_command
from experiments.cli.search_parser import build_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a search.

    Returns:
        the exit status.
    Raises:
        InputError: wrong usage, configuration or data.
    """
    given = build_parser().parse_args(arguments)
    require_docstrings()
    from experiments.cli.run_search import run_search

    return run_search(given)


if __name__ == "__main__":
    sys.exit(run_command(main))
