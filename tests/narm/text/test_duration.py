"""Durations as people write them."""

import pytest

from narm.config import Config
from narm.errors import InputError
from narm.text.duration import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1_800), (" 24h ", 86_400), ("7d", 604_800), ("36525d", 3_155_760_000)]
)
def test_a_number_and_its_unit(text, seconds):
    assert parse_duration(text).seconds == seconds


@pytest.mark.parametrize("text", ["", "30", "m", "0s", "-1d", "1.5h", "30 m", "7D", "36526d", "9" * 5_000 + "s", "٣d"])
def test_anything_else_is_refused_in_one_line(text):
    with pytest.raises(InputError, match=r"is no duration: write 90s, 30m, 24h or 7d$"):
        parse_duration(text)


@pytest.mark.parametrize("option", ["session_gap", "test_period"])
def test_a_message_names_the_option(option):
    with pytest.raises(InputError, match=rf"^{option}: 'soon': no duration: write 90s, 30m, 24h or 7d$"):
        Config.from_flat({option: "soon"})
