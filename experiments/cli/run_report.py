"""Writes the report of a study."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from experiments.cli.flags import study_place
from experiments.cli.recorded_data import load_recorded
from experiments.reporting.report.markdown import study_markdown
from experiments.reporting.report.publish import write_page
from experiments.tuning.engine.recomputing import judge_again
from experiments.tuning.study.folder import PAGE
from experiments.tuning.study.saved_study import SavedStudy, open_saved
from narm.config import Config
from narm.errors import InputError
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
    if given.dataset is not None and not given.recompute:
        raise InputError("--dataset: only --recompute reads the data")
    if given.recompute:
        saved = _recomputed(saved, given.dataset)
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


def _recomputed(saved: SavedStudy, dataset: str | None) -> SavedStudy:
    """The study with today's verdict on its finalists, and a note on what its search said to ship."""
    config = Config.from_flat(saved.record["config"])
    data = config.data if dataset is None else config.replace({"dataset": dataset}).data
    splits = load_recorded(data, saved.name, named_now=dataset is not None)
    summary = judge_again(saved, splits)
    note = "note: the finalists were judged again; summary.json and winner.pt are as the search left them"
    if summary.recommended != saved.summary.recommended:
        note += f", for trial {saved.summary.recommended}: {saved.resume_command} decides anew"
    print(note, file=sys.stderr)
    return replace(saved, summary=summary)
