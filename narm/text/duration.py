"""Durations as people write them: `90s`, `30m`, `24h`, `7d`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from narm.errors import InputError

WANTED = "no duration: write 90s, 30m, 24h or 7d"

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Duration:
    """A number of seconds, minutes, hours or days.

    Attributes:
        count: how many, at least 1.
        unit: seconds of one.
    """

    count: int
    unit: int

    @property
    def seconds(self) -> int:
        """How long it is."""
        return self.count * self.unit


def parse_duration(text: str) -> Duration:
    """Read a whole number and its unit: s, m, h or d.

    Raises:
        InputError: `text` is not of that form, or zero, or longer than a century.
    """
    match = re.fullmatch(r"([0-9]{1,10})([smhd])", text.strip())
    duration = Duration(int(match[1]), SECONDS[match[2]]) if match else None
    if duration is None or not 1 <= duration.seconds <= 36_525 * SECONDS["d"]:
        raise InputError(f"'{text}' is {WANTED}")
    return duration
