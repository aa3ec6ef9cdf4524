"""Durations for a reader."""

from __future__ import annotations

import pytest

from experiments.reporting.durations import format_duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (3599.9, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_durations_read_well(seconds: float, words: str) -> None:
    assert format_duration(seconds) == words
