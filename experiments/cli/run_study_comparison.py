"""Shows two searches of the same data side by side."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from experiments.cli.flags import study_place
from experiments.reporting.messages import Messages
from experiments.reporting.study_comparison.comparison import compare_studies
from experiments.reporting.study_comparison.console import print_comparison
from experiments.tuning.study.saved_study import SavedStudy, open_saved
from narm.errors import InputError
from narm.machine.files import require_writable, write_text


def run_study_comparison(given: argparse.Namespace) -> int:
    """Compare two studies.

    Args:
        given: a command line, as `experiments.compare-studies` reads it.
    Returns:
        the exit status.
    Raises:
        InputError: no such study, studies of other data, or a file that cannot be written.
    """
    page = require_writable(Path(given.html)) if given.html else None
    first, second = (_open(study, given.output, given.storage) for study in (given.a, given.b))
    compared = compare_studies(first, second)
    if page is not None:
        from experiments.reporting.study_comparison.page import comparison_page  # plotly takes a second to import

        write_text(page, comparison_page(compared))
    print_comparison(compared, Messages())
    if page is not None:
        print(f"report: {page}", file=sys.stderr)
    return 0


def _open(study: str, output: str, storage: str | None) -> SavedStudy:
    """A study by its name, or by its folder where that is another than `--output`."""
    name, within = study_place(study, output)
    if name != study and storage is not None:
        raise InputError(
            f"'{study}' is a folder, and --storage goes with names: name the study, or leave --storage out"
        )
    return open_saved(name, output=within, storage=storage)
