"""What a command needs of the Python that it runs in."""

from __future__ import annotations

import sys

from narm.errors import InputError


def require_docstrings(optimize: int = sys.flags.optimize) -> None:
    """Called before Ray Tune is imported, which adds to its docstrings and fails where there are none.

    Args:
        optimize: how often `-O` was given.
    Raises:
        InputError: they were left out.
    """
    if optimize > 1:
        raise InputError(
            "python -OO leaves docstrings out, and Ray cannot be imported without them: use -O, and set PYTHONOPTIMIZE "
            "to 1 or not at all"
        )
