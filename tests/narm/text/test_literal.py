"""Text as values."""

import pytest

from narm.text.literal import parse_literal


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[0.25,0.5]", [0.25, 0.5]),
        ("{'a': None}", {"a": None}),
        ("{a: b}", {"a": "b"}),
        ("None", None),
        ("[__import__('os')]", ["__import__('os')"]),
        ("{broken", "{broken"),
        ("plain", "plain"),
        (3, 3),
    ],
)
def test_literals_are_read_and_never_run(text, value):
    assert parse_literal(text) == value
