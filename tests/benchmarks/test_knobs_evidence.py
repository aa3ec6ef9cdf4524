"""Differences over seeds, against values computed by hand and by scipy's own test."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks.knobs.evidence import Difference, Spread, difference, pooled_spread

Groups = st.lists(st.integers(100, 400), min_size=2, max_size=6, unique=True)


def test_the_spread_is_that_of_all_groups_together() -> None:
    # squares about the means: 2 + 8 + 0; degrees of freedom: 1 + 2; one value alone says nothing
    assert pooled_spread([[1.0, 3.0], [2.0, 4.0, 6.0], [5.0]]) == Spread(deviation=(10 / 3) ** 0.5, freedom=3)


def test_without_two_seeds_of_anything_there_is_no_spread() -> None:
    assert pooled_spread([[1.0], [], [2.0]]) is None


def test_a_difference_is_in_percent_of_the_base() -> None:
    found = difference([0.22], [0.2, 0.2], Spread(deviation=0.01, freedom=4))
    margin = 2.7764451 * 0.01 * 1.5**0.5 / 0.2 * 100
    assert found.percent == pytest.approx(10)
    assert (found.low, found.high) == pytest.approx((10 - margin, 10 + margin))


@given(Groups, Groups)
def test_with_two_groups_it_is_students_test(candidate: list[int], base: list[int]) -> None:
    spread = pooled_spread([candidate, base])
    assert spread is not None
    found = difference(candidate, base, spread)
    known = stats.ttest_ind(candidate, base).confidence_interval(0.95)
    scale = 100 / (sum(base) / len(base))
    assert (found.low, found.high) == pytest.approx((scale * known.low, scale * known.high), rel=1e-6, abs=1e-6)


def test_a_gain_or_a_harm_leaves_zero_out_of_the_interval() -> None:
    gain, harm, noise = (Difference(percent=center, low=center - 1, high=center + 1) for center in (2.0, -2.0, 0.5))
    assert [(each.gains, each.harms) for each in (gain, harm, noise)] == [(True, False), (False, True), (False, False)]
