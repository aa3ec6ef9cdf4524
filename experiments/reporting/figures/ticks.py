"""Where an axis has its ticks. Plotly's logarithmic axes say `100µ`, with a bare `2` and `5` in between."""

from __future__ import annotations

import math

from matplotlib.ticker import MaxNLocator

_FEW = 2  # powers of ten are enough to read distances


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten from low to high; where there are hardly any, also their doubles and fives.

    Args:
        low: above 0.
        high: not below it.
    """
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    powers = [power for decade in decades if low <= (power := _exact(1, decade)) <= high]
    if len(powers) >= _FEW:
        return powers
    return [tick for decade in decades for factor in (1, 2, 5) if low <= (tick := _exact(factor, decade)) <= high]


def linear_ticks(low: float, high: float) -> list[float]:
    """A few round numbers from low to high."""
    ticks = MaxNLocator(nbins=4, steps=[1, 2, 5, 10]).tick_values(low, high)
    return [float(tick) for tick in ticks if low <= tick <= high]


def _exact(factor: int, decade: int) -> float:
    """The float that is written so: a product of floats may miss a bound of the space by a hair."""
    return float(f"{factor}e{decade}")
