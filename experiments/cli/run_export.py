"""Writes a trained model in a format that other programs run."""

from __future__ import annotations

import argparse
from pathlib import Path

from narm.errors import InputError
from narm.export import FORMATS, export
from narm.text.suggestion import did_you_mean


def run_export(given: argparse.Namespace) -> int:
    """Export a model.

    Args:
        given: a command line, as `experiments.export` reads it.
    Returns:
        the exit status.
    Raises:
        InputError: an unknown format, or no checkpoint.
    """
    if given.format not in FORMATS:
        raise InputError(f"format: there is no '{given.format}'{did_you_mean(given.format, FORMATS)}")

    print(export(Path(given.checkpoint), Path(given.output), given.format))
    return 0
