"""Whether times can be counted in seconds: a duration means nothing where the unit is not known."""

from __future__ import annotations

import numpy as np

from narm.data.events import Times
from narm.errors import InputError

SECONDS_A_YEAR = 31_556_952
YEAR_5000 = 3_030 * SECONDS_A_YEAR  # in seconds; milliseconds since 1970, taken for seconds, lie far beyond


def require_seconds(times: Times, ticks_per_second: int | None, option: str) -> int:
    """The ticks a second of times, if they have a unit and lie where people live.

    Args:
        times: at least one.
        ticks_per_second: their unit, as the events have it.
        option: whose duration is to be counted.
    Raises:
        InputError: there is no unit, or the years are absurd; the message names the option to correct it.
    """
    if ticks_per_second is None:
        raise InputError(f"{option}: the events have an order, but no times to count in")
    latest = float(np.abs(times[[times.argmin(), times.argmax()]].astype(np.float64)).max()) / ticks_per_second
    if latest > YEAR_5000:
        raise InputError(
            f"{option}: a time would be {latest / SECONDS_A_YEAR:,.0f} years from 1970; say its unit with time_unit"
        )
    return ticks_per_second
