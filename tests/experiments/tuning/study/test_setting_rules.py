"""How settings are read."""

from __future__ import annotations

import pytest

from experiments.tuning.study.setting import Derived
from experiments.tuning.study.setting_rules import read_duration, read_max_failed
from narm.errors import InputError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("10m", 600), ("2h", 7200), ("none", None)]
)
def test_durations(text, seconds):
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "10 parsecs", "1h30m", "nan"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(InputError, match="write 90s, 10m, 2h or none"):
        read_duration(text)


@pytest.mark.parametrize(("text", "count"), [("3", 3), ("0.5", 10), ("25%", 5), ("none", None), ("0", 0)])
def test_failures_are_counted_or_a_share(text, count):
    read = read_max_failed(text)
    assert (read.rule({"trials": 20}) if isinstance(read, Derived) else read) == count


@pytest.mark.parametrize("text", ["", "-1", "1.5", "120%", "many"])
def test_what_is_no_number_of_failures_is_refused(text):
    with pytest.raises(InputError, match=r"write 3, 0\.5, 50% or none"):
        read_max_failed(text)
