"""A last training learns from all targets that were held out, and from each once."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.temporal_split import temporal

from narm.data.filters import by_length
from narm.data.refit import take_in
from narm.data.session_log import group_events
from narm.data.sessions import Examples, Splits
from narm.data.splits import leave_one_out
from narm.errors import InputError

ROWS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 30)), min_size=1, max_size=80)
HELD_OUT = pytest.mark.parametrize("held_out", ["valid", "all"])


def examples(*of: Examples) -> Counter[tuple[tuple[int, ...], int]]:
    """Prefix and target of each."""
    return Counter(
        (tuple(part.prefix(n, 1_000).tolist()), int(part.target_items[n])) for part in of for n in range(len(part))
    )


def check(splits: Splits, held_out: Literal["valid", "all"]) -> None:
    taken = take_in(splits, held_out)
    parts = (splits.train, splits.valid) if held_out == "valid" else (splits.train, splits.valid, splits.test)
    assert examples(taken.train) == examples(*parts)
    assert len(taken.valid) == 0
    assert len(taken.test) == (len(splits.test) if held_out == "valid" else 0)
    assert taken.vocabulary is splits.vocabulary


@HELD_OUT
@given(rows=ROWS)
def test_leave_one_out_goes_on_to_the_target_that_was_held_out(as_log, rows, held_out):
    rows = [*rows, *((10, item, 99) for item in range(4)), *((11, item, 99) for item in range(3))]
    partition = leave_one_out(by_length(group_events(as_log(rows)), 2, None, name="log"))
    check(partition.as_splits(name="log", max_length=50), held_out)


@HELD_OUT
@given(rows=ROWS, share=st.floats(0.05, 0.6))
def test_sessions_that_were_held_out_follow_those_of_train(as_log, rows, share, held_out):
    try:
        log = by_length(group_events(as_log(rows)), 2, None, name="log")
        partition = temporal(log, valid_share=share, test_share=share)
    except InputError:
        return
    splits = partition.as_splits(name="log", max_length=50)
    check(splits, held_out)
    before, after = splits.train.sessions, take_in(splits, held_out).train.sessions
    assert (after.items[: before.n_events] == before.items).all()  # the most recent ones are last


def test_what_only_validation_knows_is_learned_and_has_had_its_row_before(as_log):
    rows = [(session, item, 10 * session + item) for session in range(10) for item in (1, 2, 3)]
    rows[-6:-3] = [(8, item, 80 + place) for place, item in enumerate((1, 2, 77))]  # the validation session
    splits = temporal(group_events(as_log(rows)), valid_share=0.1, test_share=0.1).as_splits(name="log", max_length=50)
    index = splits.vocabulary.index(77)
    assert index not in splits.train.target_items
    assert index in take_in(splits, "valid").train.target_items


def test_nothing_can_go_on_with_a_run_on_the_other_data_by_mistake(ring_splits):
    fingerprints = {take_in(ring_splits, held_out).fingerprint for held_out in ("valid", "all")}
    assert len(fingerprints | {ring_splits.fingerprint}) == 3
    assert (ring_splits.refit, take_in(ring_splits, "all").refit) == ("none", "all")
