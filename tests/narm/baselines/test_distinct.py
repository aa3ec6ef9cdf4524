"""Each item of a session once, where it occurred last."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from narm.baselines.distinct import DistinctItems
from narm.data.sessions import Sessions


@given(st.lists(st.lists(st.integers(1, 5), max_size=8), max_size=6))
def test_items_stand_once_each_the_most_recent_first(lists):
    items = np.array([item for session in lists for item in session], dtype=np.int32)
    distinct = DistinctItems.of(Sessions(items, np.cumsum([0, *map(len, lists)])))
    expected = []
    for session in lists:
        last = {item: position for position, item in enumerate(session, 1)}
        expected.append(sorted(last.items(), key=lambda pair: -pair[1]))
    pairs = list(zip(distinct.items.tolist(), distinct.positions.tolist(), strict=True))
    found = [pairs[a:b] for a, b in zip(distinct.offsets[:-1], distinct.offsets[1:], strict=True)]
    assert found == expected
    assert distinct.sessions.tolist() == [s for s, session in enumerate(expected) for _ in session]
