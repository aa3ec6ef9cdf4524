"""What each split holds, what it drops, and that it says so."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st
from support.temporal_split import temporal

from narm.data.filters import by_length
from narm.data.session_log import group_events
from narm.data.sessions import Examples
from narm.data.splits import Partition, given, leave_one_out
from narm.data.synthetic import synthetic_events
from narm.errors import InputError

ROWS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 30)), min_size=1, max_size=80)


def raw(partition: Partition, examples: Examples) -> list[list[int]]:
    """The sessions of a split, as raw item ids."""
    ids = np.array([None, *partition.item_ids.to_pylist()])
    return [ids[examples.sessions[s]].tolist() for s in range(len(examples.sessions))]


def n_dropped(partition: Partition) -> int:
    found = (re.match(r"dropped ([\d,]+) events", note) for note in partition.notes)
    return sum(int(match[1].replace(",", "")) for match in found if match)


def n_kept(partition: Partition) -> int:
    return sum(part.sessions.n_events for part in (partition.train, partition.valid, partition.test))


def naive_leave_one_out(rows):
    """Prefix and target of each example, with pandas, session by session."""
    frame = pd.DataFrame(rows, columns=["session", "item", "time"])
    train, valid, test = [], [], []
    for session in frame["session"].unique():
        items = frame[frame["session"] == session].sort_values("time", kind="stable")["item"].tolist()
        examples = [(items[:n], items[n]) for n in range(1, len(items))]
        held_out = min(2, max(len(examples) - 1, 0))
        train += examples[: len(examples) - held_out]
        test += examples[-1:] if held_out else []
        valid += examples[-2:-1] if held_out == 2 else []
    return train, valid, test


@hypothesis_given(ROWS)
def test_leave_one_out_is_the_naive_one(as_log, rows):
    rows = [*rows, *((10, item, 99) for item in range(4))]
    expected = naive_leave_one_out(rows)
    partition = leave_one_out(by_length(group_events(as_log(rows)), 2, None, name="log"))
    ids = np.array([None, *partition.item_ids.to_pylist()])
    for examples, naive in zip((partition.train, partition.valid, partition.test), expected, strict=True):
        prefixes = [ids[examples.prefix(n, 1_000)].tolist() for n in range(len(examples))]
        assert list(zip(prefixes, ids[examples.target_items].tolist(), strict=True)) == naive
    assert partition.item_ids.to_pylist() == list(dict.fromkeys(item for _, item, _ in rows))
    assert partition.valid.sessions is partition.test.sessions
    assert partition.valid.sessions.n_events + n_dropped(partition) == len(rows)


def test_leave_one_out_says_that_it_leaks_the_future(as_log):
    partition = leave_one_out(group_events(as_log([(1, item, item) for item in range(4)])))
    assert partition.notes[0].startswith("leave-one-out leaks the future")


def test_recbole_ties_compare_rounded_times(as_log):
    rows = [(1, 10, 0), (1, 30, 2**30 + 1), (1, 20, 2**30), (1, 40, 2**31)]
    exact, rounded = (group_events(as_log(rows), recbole_ties=ties) for ties in (False, True))
    assert exact.item_ids.take(pa.array(exact.sessions.items)).to_pylist() == [10, 20, 30, 40]
    assert rounded.item_ids.take(pa.array(rounded.sessions.items)).to_pylist() == [10, 30, 20, 40]


def test_recbole_ties_when_all_times_are_equal(as_log):
    log = group_events(as_log([(1, item, 5) for item in (3, 1, 2)]), recbole_ties=True)
    assert log.sessions.items.tolist() == [0, 1, 2]


@hypothesis_given(ROWS, st.floats(0.05, 0.6), st.floats(0.05, 0.6))
def test_a_temporal_split_accounts_for_every_event(as_log, rows, valid_share, test_share):
    try:
        log = by_length(group_events(as_log(rows)), 2, None, name="log")
        partition = temporal(log, valid_share=valid_share, test_share=test_share)
    except InputError:
        return
    assert n_kept(partition) + n_dropped(partition) == len(rows)


@hypothesis_given(ROWS, st.floats(0.05, 0.6), st.floats(0.05, 0.6))
def test_a_temporal_split_keeps_to_time(as_log, rows, valid_share, test_share):
    # Each session has but one item, its own id, to be told by; the first session has them all.
    rows = [(session, session, time + 15 * session) for session, _, time in rows]
    log = group_events(as_log([(99, item, -1) for item in range(10)] + rows))
    try:
        partition = temporal(by_length(log, 2, None, name="log"), valid_share=valid_share, test_share=test_share)
    except InputError:
        return
    splits = (partition.train, partition.valid, partition.test)
    train, valid, test = ([items[0] for items in raw(partition, split) if len(set(items)) == 1] for split in splits)
    assert len({*train, *valid, *test}) == len(train) + len(valid) + len(test)
    times = {s: [time for session, _, time in rows if session == s] for s in {row[0] for row in rows}}
    starts, ends = ({s: pick(times[s]) for s in times} for pick in (min, max))
    assert max((ends[s] for s in train), default=-1) <= min(starts[s] for s in (*valid, *test))
    assert max(ends[s] for s in valid) <= min(starts[s] for s in test)


def test_a_temporal_split_takes_the_last_sessions_in_time(as_log):
    rows = [(s, item, 10 * s + item) for s in (3, 1, 0, 2, 4, 5, 7, 9, 6, 8) for item in (1, 2, 3)]
    partition = temporal(group_events(as_log(rows)), valid_share=0.25, test_share=0.2)
    assert [len(part.sessions) for part in (partition.train, partition.valid, partition.test)] == [6, 2, 2]
    assert partition.notes == ()
    assert len(partition.test) == 4


def test_a_session_belongs_where_it_ends(as_log):
    ends = {1: (0, 100), 2: (10, 20), 3: (30, 40), 4: (110, 120), 5: (105, 106)}
    rows = [(session, session % 2 + n, time) for session, times in ends.items() for n, time in enumerate(times)]
    partition = temporal(group_events(as_log(rows)), valid_share=0.25, test_share=0.2)
    assert raw(partition, partition.train) == [[0, 1], [1, 2], [1, 2]]
    assert raw(partition, partition.valid) == [[1, 2]]
    assert raw(partition, partition.test) == [[0, 1]]


def test_sessions_that_span_a_boundary_are_dropped_and_counted(as_log):
    rows = [
        (0, 1, 0),
        (0, 2, 10),
        (1, 1, 5),
        (1, 2, 20),
        (1, 1, 21),
        (2, 2, 22),
        (2, 1, 23),
        (3, 1, 30),
        (3, 2, 31),
    ]
    partition = temporal(group_events(as_log(rows)), valid_share=0.67, test_share=0.25)
    assert [len(part.sessions) for part in (partition.train, partition.valid, partition.test)] == [1, 1, 1]
    assert partition.notes == ("dropped 3 events: 1 sessions that span the beginning of validation",)


def test_items_that_only_test_has_are_dropped_and_counted(as_log):
    train = group_events(as_log([(s, item, s) for s in range(4) for item in (1, 2)]))
    test = group_events(as_log([(7, 9, 1), (7, 2, 2), (7, 1, 3), (8, 9, 1), (8, 1, 2)]))
    partition = given(train, test, valid_share=0.25)
    assert raw(partition, partition.test) == [[2, 1]]
    assert partition.notes == (
        "dropped 2 events: test events of items that train does not have",
        "dropped 1 events: test sessions left with one event",
    )


def test_items_that_only_validation_has_are_in_the_vocabulary(as_log):
    train = group_events(as_log([(1, 5, 1), (1, 4, 2)]))
    valid = group_events(as_log([(2, 4, 1), (2, 6, 2)]))
    test = group_events(as_log([(3, 6, 1), (3, 5, 2)]))
    partition = given(train, test, valid, valid_share=0.5)
    assert partition.item_ids.to_pylist() == [5, 4, 6]
    assert raw(partition, partition.test) == [[6, 5]]


def test_integer_and_text_ids_of_two_files_are_the_same_items(as_log):
    train = group_events(as_log([(s, item, s) for s in range(3) for item in (1, 2)]))
    test = group_events(as_log([(7, 2, 1), (7, 1, 2), (7, 3, 3)]))
    for train_ids, test_ids in (([1, 2], ["2", "1", "x"]), (["1", "2"], [2, 1, 3])):
        partition = given(
            replace(train, item_ids=pa.array(train_ids)),
            replace(test, item_ids=pa.array(test_ids)),
            valid_share=0.3,
        )
        assert [[str(item) for item in items] for items in raw(partition, partition.test)] == [["2", "1"]]


@pytest.mark.parametrize("part", ["train", "valid", "test", "item_ids"])
def test_the_fingerprint_names_the_data(part):
    def fingerprint(seed: int, **changed: object) -> str:
        log = group_events(synthetic_events(n_sessions=60, n_items=5, seed=seed))
        partition = temporal(log, valid_share=0.2, test_share=0.2)
        return replace(partition, **changed).fingerprint()

    other = temporal(group_events(synthetic_events(60, 5, seed=1)), valid_share=0.2, test_share=0.2)
    assert fingerprint(0) == fingerprint(0)
    changed = pa.array(["a"] * 5) if part == "item_ids" else getattr(other, part)
    assert fingerprint(0, **{part: changed}) != fingerprint(0)
