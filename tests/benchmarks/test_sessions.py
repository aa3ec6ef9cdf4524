"""The most recent part of the sessions that benchmarks train on."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.sessions import newest
from narm.data.sessions import Examples, Sessions, Splits


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_last_sessions_are_kept_whole_and_nothing_else_changes(share: float, ring_splits: Splits) -> None:
    recent, whole = newest(ring_splits, share), ring_splits.train
    kept = len(recent.train.sessions)
    assert np.array_equal(recent.train.sessions.lengths, whole.sessions.lengths[-kept:])
    assert np.array_equal(recent.train.sessions.items, whole.sessions.items[-recent.train.sessions.n_events :])
    one_more = len(recent.train) + whole.sessions.lengths[-kept - 1] - 1
    assert len(recent.train) <= share * len(whole) < one_more
    assert recent.valid is ring_splits.valid
    assert recent.n_items == ring_splits.n_items


def test_a_share_that_is_met_exactly_keeps_the_session_that_meets_it(ring_splits: Splits) -> None:
    pairs = Sessions(np.arange(1, 9, dtype=np.int32), np.arange(0, 9, 2))
    halved = newest(dataclasses.replace(ring_splits, train=Examples.every_prefix(pairs)), 0.5)
    assert halved.train.sessions.items.tolist() == [5, 6, 7, 8]


def test_all_of_it_is_all_of_it(ring_splits: Splits) -> None:
    assert newest(ring_splits, 1.0) is ring_splits
