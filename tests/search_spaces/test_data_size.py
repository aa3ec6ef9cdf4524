"""Numbers and conditions that depend on the data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narm.errors import InputError
from search_spaces.data_size import Amount, Condition, DataSize

SIZE = DataSize(targets=10_000, items=900)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("items", 900),
        ("targets", 10_000),
        ("items / 4", 225),
        ("targets/3", 3333),
        ("items * 1.5", 1350),
        ("2 * targets", 20_000),
        ("0.5 * items / 2", 225),
        ("items / 4 at least 256", 256),
        ("items / 4 at least 100", 225),
        ("targets / 4 at most 2e3", 2000),
        ("  targets  /  4  at least 100  at most 2048 ", 2048),
        ("items / 7", 129),
    ],
)
def test_a_number_is_a_factor_of_the_data_between_bounds(text: str, value: int) -> None:
    assert Amount.is_meant(text)
    found = Amount.parse(text).value(SIZE, int)
    assert (found, type(found)) == (value, int)


def test_an_option_of_fractions_has_one() -> None:
    assert Amount.parse("items / 7").value(SIZE, float) == pytest.approx(900 / 7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item / 4", "'item' is no size of the data; did you mean 'items'?"),
        ("sessions / 4", "'sessions' is no size of the data; known: targets, items"),
        ("items / 0", "'items / 0' divides by 0"),
        ("items / 4 at least 512 at most 256", "the least is more than the most"),
        ("items / targets", "is no number that the data decide: write items, targets / 50, or 2 * items at least 256"),
        ("items / -4", "is no number that the data decide"),
        ("items / 4 at most 100 at least 10", "is no number that the data decide"),
        ("items + 4", "is no number that the data decide"),
        ("__import__('os') / 1", "is no number that the data decide"),
    ],
)
def test_what_is_no_such_number_is_said_to_be_none(text: str, message: str) -> None:
    assert Amount.is_meant(text)
    with pytest.raises(InputError) as error:
        Amount.parse(text)
    assert message in str(error.value)


@pytest.mark.parametrize("value", ["a", "12", "", 12, None, ["items"]])
def test_other_values_are_left_to_the_option(value: object) -> None:
    assert not Amount.is_meant(value)


@pytest.mark.parametrize(
    ("text", "holds"),
    [("items < 900", False), ("items <= 900", True), ("items>900", False), ("targets >= 1e4", True)],
)
def test_a_condition_compares_the_data_with_a_number(text: str, holds: bool) -> None:
    assert Condition.parse(text).holds(SIZE) is holds


@pytest.mark.parametrize("text", ["items", "items = 4", "items <= many", "4 < items", 4, None, {"items": 4}])
def test_what_is_no_condition_is_said_to_be_none(text: object) -> None:
    with pytest.raises(InputError, match="`where` compares the data's size with a number, such as items <= 10000"):
        Condition.parse(text)


def test_a_condition_names_the_nearest_size() -> None:
    with pytest.raises(InputError, match="'target' is no size of the data; did you mean 'targets'"):
        Condition.parse("target > 4")


@given(st.text(alphabet="targetsim 0123456789.*/<=>-+e()", max_size=40))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    for kind in (Amount, Condition):
        try:
            kind.parse(text)
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017


@given(st.integers(0, 10**9), st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_bounds_hold_for_data_of_any_size(items: int, divisor: int, least: int, width: int) -> None:
    amount = Amount.parse(f"items / {divisor} at least {least} at most {least + width}")
    assert least <= amount.value(DataSize(targets=0, items=items), int) <= least + width
