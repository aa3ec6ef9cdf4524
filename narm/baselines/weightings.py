"""How much less an event counts that lies further back, by name, as in the code of Ludewig & Jannach (UMUAI 2018).

Differs from it: a linear weight ends at 0 and never turns negative.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from narm.config import Weighting

Numbers = NDArray[np.float64]

BY_STEPS: dict[Weighting, Callable[[NDArray[np.int64]], Numbers]] = {
    "same": lambda steps: np.ones(steps.shape),
    "div": lambda steps: 1 / steps,
    "linear": lambda steps: np.maximum(1 - 0.1 * steps, 0),
    "quadratic": lambda steps: 1 / (steps.astype(np.float64) ** 2),
    "log": lambda steps: 1 / np.log10(steps + 1.7),
}
"""Weights by steps back, from 1."""

BY_POSITION: dict[Weighting, Callable[[NDArray[np.int64], NDArray[np.int64]], Numbers]] = {
    "same": lambda position, length: np.ones(position.shape),
    "div": lambda position, length: position / length,
    "linear": lambda position, length: np.maximum(1 - 0.1 * (length - position), 0),
    "quadratic": lambda position, length: (position / length) ** 2,
    "log": lambda position, length: 1 / np.log10(length - position + 1.7),
}
"""Weights by position, from 1, in a session of that length."""
