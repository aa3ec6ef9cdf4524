"""Names of files, whatever is in them, become names that people, shells and databases take."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narm.text.names import LONGEST_PART, plain_part, without_endings

file_names = st.one_of(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1).map(str.encode),
    st.binary(min_size=1),
).map(lambda name: name.replace(b"/", b"-").replace(b"\0", b"-")[:255])
"""Every name that Linux gives a file, UTF-8 or not."""


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("clicks.csv", "clicks"),
        ("train.csv.gz", "train"),
        ("2019 Oct.csv", "2019 Oct"),
        (".hidden.csv", "hidden"),
        ("...", "data"),
        ("two\nlines.csv", "two-lines"),
        (os.fsdecode(b"caf\xe9.csv"), "caf-"),
    ],
)
def test_a_file_is_called_by_its_name_without_endings(name, called):
    assert without_endings(Path(name)) == called


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("clicks (1)", "clicks-1"),
        ("2019 Oct", "2019-Oct"),
        ("-rf", "rf"),
        ("cafe\u0301", "caf\u00e9"),
        ("日本", "日本"),
        ("🛒", "data"),
        ("a'b;c`d$(e)", "a-b-c-d-e"),
        ("x" * 300, "x" * LONGEST_PART),
    ],
)
def test_a_part_of_a_name_keeps_what_is_allowed(text, plain):
    assert plain_part(text) == plain


@given(file_names)
def test_every_file_has_a_name_to_read_and_a_plain_one(name):
    called = without_endings(Path("/folder", os.fsdecode(name)))
    assert called
    assert called.isprintable()
    plain = plain_part(called)
    assert re.fullmatch(r"[\w+][\w.+-]*", plain)
    assert len(plain.encode()) <= LONGEST_PART
    assert plain_part(plain) == plain
