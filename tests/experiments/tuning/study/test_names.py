"""Studies have names that are folders, and those that the program makes are valid, whatever they are made of."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.tuning.study.names import LONGEST, check_name, new_name
from narm.data.datasets import dataset_name
from narm.errors import InputError

MOST_PARTS = 3


@pytest.mark.parametrize("name", ["s", "my-study_2.1+x", "日本", "x" * LONGEST, "con", "artifacts-2"])
def test_a_name_of_letters_is_taken(name):
    check_name(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "is no name for a folder"),
        ("..", "is no name for a folder"),
        (".hidden", "begin with none of '-' and '.'"),
        ("-rf", "begin with none of '-' and '.'"),
        ("a b", "use letters, digits"),
        ("a/b", "use letters, digits"),
        ("a\n", "use letters, digits"),
        ("🛒", "use letters, digits"),
        ("x" * (LONGEST + 1), "has 201 bytes: use a name of 200 at most"),
        ("日" * 100, "has 300 bytes"),
        ("studies.db", "all studies share"),
        ("mlflow.db-wal", "all studies share"),
        ("artifacts", "all studies share"),
    ],
)
def test_a_name_that_is_no_folder_is_refused(name, message):
    with pytest.raises(InputError, match=message):
        check_name(name)


def refusal(name: str) -> str:
    try:
        check_name(name)
    except InputError as error:
        return str(error)
    return ""


@given(st.text(max_size=400))
def test_any_name_is_refused_in_one_line_or_is_a_folder(name):
    if message := refusal(name):
        assert message.startswith("study: ")
        assert message.isprintable()
    else:
        with tempfile.TemporaryDirectory() as output:
            Path(output, f"{name}-item_knn").mkdir()
            assert [folder.name for folder in Path(output).iterdir()] == [f"{name}-item_knn"]


@given(st.lists(st.text(), min_size=1, max_size=MOST_PARTS))
def test_a_name_of_our_own_is_allowed(parts):
    check_name(new_name(*parts))


def test_a_name_says_what_it_is_about():
    assert new_name(dataset_name("/logs/clicks (1).csv"), "smoke").startswith("clicks-1-smoke-")
    assert new_name("compare", dataset_name("2019 Oct.csv")).startswith("compare-2019-Oct-")


def test_searches_of_the_same_second_have_names_of_their_own():
    assert len({new_name("clicks", "smoke") for _ in range(20)}) == 20
