"""Writes the report of a study."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from experiments.cli.flags import study_place
from experiments.reporting.report.markdown import study_markdown
from experiments.reporting.report.publish import write_page
from experiments.tuning.study.folder import PAGE
from experiments.tuning.study.saved_study import open_saved
from narm.machine.files import require_writable, write_text


def run_report(given: argparse.Namespace) -> int:
    """Write the report of a study.

    Args:
        given: a command line, as `experiments.report` reads it.
    Returns:
        the exit status.
    Raises:
        InputError: no such study, or a file that cannot be written.
    """
    study, output = study_place(given.study, given.output)
    saved = open_saved(study, output=output, storage=given.storage)
    page = require_writable(Path(given.html) if given.html else saved.folder / PAGE)
    markdown = require_writable(Path(given.markdown)) if given.markdown not in (None, "-") else None
    write_page(saved, page)
    if markdown is not None:
        write_text(markdown, study_markdown(saved))
    print(f"report: {page}", file=sys.stderr)
    if markdown is not None:
        print(f"markdown: {markdown}", file=sys.stderr)
    if given.markdown == "-":
        print(study_markdown(saved), end="")
    return 0
