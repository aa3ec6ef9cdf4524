"""Whether times lie where people live, in the unit that they are said to have."""

from __future__ import annotations

import numpy as np

from narm.data.events import Times
from narm.data.readers.event_table import TICKS
from narm.errors import InputError

SECONDS_A_YEAR = 31_556_952
YEAR_5000 = 3_030 * SECONDS_A_YEAR  # in seconds; milliseconds since 1970, taken for seconds, lie far beyond
LOGGED = (20 * SECONDS_A_YEAR, 130 * SECONDS_A_YEAR)  # 1990 to 2100, in seconds: when logs are from


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
    if other := other_unit(times, ticks_per_second):
        raise InputError(f"{option}: {other}")
    latest = float(np.abs(_range(times)).max()) / ticks_per_second
    if latest > YEAR_5000:
        raise InputError(
            f"{option}: a time would be {latest / SECONDS_A_YEAR:,.0f} years from 1970; say its unit with time_unit"
        )
    return ticks_per_second


def other_unit(times: Times, ticks_per_second: int | None) -> str | None:
    """Say in which unit times are, if it is surely not the one they are said to have.

    That is so where all of them lie between 1990 and 2100 in the one, and not in the other. Times that begin at
    zero lie there in none.

    Args:
        times: at least one.
        ticks_per_second: their unit, as the events have it.
    Returns:
        what is odd, and the option that mends it; None: nothing is.
    """
    if ticks_per_second is None or _are_logged(times, ticks_per_second):
        return None
    sound = next((unit for unit, ticks in TICKS.items() if _are_logged(times, ticks)), None)
    if sound is None:
        return None
    years = 1970 + float(_range(times)[1]) / ticks_per_second / SECONDS_A_YEAR
    return f"the last time would be in the year {years:,.0f}; as they stand, times are in {sound}: time_unit: {sound}"


def _are_logged(times: Times, ticks_per_second: int) -> bool:
    first, last = _range(times) / ticks_per_second
    return bool(LOGGED[0] <= first and last <= LOGGED[1])


def _range(times: Times) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The first and the last."""
    return times[[times.argmin(), times.argmax()]].astype(np.float64)
