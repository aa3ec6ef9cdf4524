"""The data that a study was begun on, which may be elsewhere by now."""

from __future__ import annotations

from pathlib import Path

from narm.config import DataConfig
from narm.data.datasets import NAMED, load_splits
from narm.data.sessions import Splits
from narm.errors import InputError


def load_recorded(config: DataConfig, study: str, *, named_now: bool = False) -> Splits:
    """Load the data of a study.

    Args:
        config: where they are.
        study: its name.
        named_now: whether the command line says where, and not the study.
    Raises:
        InputError: they are not there, or wrong.
    """
    if not named_now and config.dataset not in NAMED and not Path(config.dataset).exists():
        raise InputError(
            f"dataset: study '{study}' was on {config.dataset}, which is not there: name where it is now with --dataset"
        )
    return load_splits(config)
