"""The k-core against a naive one, and intervals as RecBole writes them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from narm.data.filters import k_core, parse_intervals
from narm.errors import InputError

EVENTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.just(0)), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("[2,4]", {2, 3, 4}),
        ("(2,4)", {3}),
        ("[2,inf)", {2, 3, 4, 5, 6}),
        (" ( 2 , 4 ] ; [6,6]", {3, 4, 6}),
        ("(-inf,2)", {0, 1}),
    ],
)
def test_intervals_hold_their_square_ends(text, inside):
    counts = np.arange(7)
    held = np.any([interval.holds(counts) for interval in parse_intervals(text, "option")], axis=0)
    assert set(counts[held]) == inside


@pytest.mark.parametrize("text", ["5", "", "[5]", "[5,inf", "[5,x)", "[9,5]", "[nan,5]", "[1,2];", "[1,2,3]"])
def test_a_malformed_interval_is_refused(text):
    with pytest.raises(InputError, match=r"user_inter_num_interval: .* is not an interval such as"):
        parse_intervals(text, "user_inter_num_interval")


def naive_core(rows, low_user, low_item, high_item):
    while True:
        users, items = Counter(r[0] for r in rows), Counter(r[1] for r in rows)
        kept = [r for r in rows if users[r[0]] >= low_user and low_item < items[r[1]] <= high_item]
        if len(kept) == len(rows):
            return rows
        rows = kept


@given(EVENTS, st.integers(0, 4), st.integers(0, 2), st.integers(3, 9))
def test_the_core_is_the_naive_fixed_point(as_log, rows, low_user, low_item, high_item):
    expected = naive_core(rows, low_user, low_item, high_item)
    users, items = f"[{low_user},inf)", f"({low_item},{high_item}]"
    if not expected:
        with pytest.raises(InputError, match="no events left"):
            k_core(as_log(rows), users, items)
        return
    left, notes = k_core(as_log(rows), users, items)
    session_ids, item_ids = left.session_ids.to_pylist(), left.item_ids.to_pylist()
    assert [session_ids[c] for c in left.sessions] == [r[0] for r in expected]
    assert [item_ids[c] for c in left.items] == [r[1] for r in expected]
    assert item_ids == list(dict.fromkeys(r[1] for r in expected))
    n_dropped = len(rows) - len(expected)
    named = f"user_inter_num_interval {users}, " if low_user else ""  # not the default, which nobody gave
    assert notes == ((f"dropped {n_dropped} events: {named}item_inter_num_interval {items}",) if n_dropped else ())
