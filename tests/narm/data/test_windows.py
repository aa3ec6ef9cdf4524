"""Every target gets exactly one window, and sees what `windows.py` promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from narm.data.sessions import Examples, Sessions
from narm.data.windows import cut_prefixes, cut_windows


def sessions_of(lengths: list[int]) -> Sessions:
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    return Sessions(np.arange(1, offsets[-1] + 1, dtype=np.int32), offsets)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(1, 12), st.data())
def test_a_target_sees_all_before_it_or_most_of_a_window(lengths, length, data):
    stride = data.draw(st.integers(1, length))
    examples = Examples.every_prefix(sessions_of(lengths))
    windows = cut_windows(examples, length, stride)
    seen = windows.targets - np.repeat(windows.starts, windows.target_counts())
    before = examples.targets - examples.sessions.offsets[examples.session_of_target]
    assert (windows.targets == examples.targets).all()
    assert (seen <= length).all()
    assert (seen >= np.minimum(before, length - stride + 1)).all()
    assert (seen[before <= length] == before[before <= length]).all()


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(1, 12))
def test_stride_1_is_the_last_events_of_every_prefix(lengths, length):
    examples = Examples.every_prefix(sessions_of(lengths))
    shared, alone = cut_windows(examples, length, 1), cut_prefixes(examples, length)
    assert (np.repeat(shared.starts, shared.target_counts()) == alone.starts).all()


def test_half_a_window_of_stride_encodes_no_event_more_than_twice():
    examples = Examples.every_prefix(sessions_of([1000]))
    windows = cut_windows(examples, 50, 25)
    encoded = np.zeros(1000, dtype=int)
    for start, length in zip(windows.starts, windows.lengths(), strict=True):
        encoded[start : start + length] += 1
    assert encoded[:-1].min() >= 1
    assert encoded.max() <= 3  # three only where the last window is drawn back to the session's end
    assert encoded.sum() <= 2 * 1000


def test_a_short_session_is_one_window():
    windows = cut_windows(Examples.every_prefix(sessions_of([5, 2, 1, 3])), 50, 25)
    assert windows.starts.tolist() == [0, 5, 8]
    assert windows.lengths().tolist() == [4, 1, 2]


def test_examples_need_not_be_every_prefix():
    sessions = sessions_of([100, 3])
    windows = cut_windows(Examples(sessions, np.array([99, 102])), 50, 1)
    assert windows.starts.tolist() == [49, 100]
    assert windows.lengths().tolist() == [50, 2]


@pytest.mark.parametrize("stride", [0, 11])
def test_a_stride_beyond_the_window_is_refused(stride):
    with pytest.raises(ValueError, match=r"not in 1\.\.10"):
        cut_windows(Examples.every_prefix(sessions_of([5])), 10, stride)
