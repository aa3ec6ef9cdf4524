"""A message is one line that a terminal can print, whatever a file put into it."""

import pytest

from narm.errors import InputError


@pytest.mark.parametrize(
    ("message", "printed"),
    [
        ("a.csv, line 2: 'ü' is none", "a.csv, line 2: 'ü' is none"),
        ("two\nlines\r\n", r"two\nlines\r\n"),
        ("\x1b[2J \x0b \x00", r"\x1b[2J \x0b \x00"),
        ("\udc80", r"\udc80"),
        ("x" * 5_000, "x" * 700 + " ... " + "x" * 300),
    ],
)
def test_a_message_is_one_printable_line(message, printed):
    assert str(InputError(message)) == printed
    printed.encode()
