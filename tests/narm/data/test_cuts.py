"""Cuts by periods of time, the most recent part, gaps, and items with too few events."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from narm.config import DataConfig
from narm.data.cuts import by_period, most_recent
from narm.data.datasets import load_splits
from narm.data.filters import item_support
from narm.data.gaps import sessions_by_gap
from narm.data.session_log import SessionLog, group_events
from narm.errors import InputError

DAY = 86_400
ROWS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 30)), min_size=1, max_size=80)


def n_dropped(notes: tuple[str, ...]) -> int:
    found = (re.match(r"dropped ([\d,]+) events", note) for note in notes)
    return sum(int(match[1].replace(",", "")) for match in found if match)


def items_of(log: SessionLog) -> list[list[object]]:
    ids = np.array(log.item_ids.to_pylist(), dtype=object)
    return [ids[log.sessions[s]].tolist() for s in range(len(log))]


def test_the_last_days_are_test_and_the_day_before_them_neither(as_log):
    ends = {0: 0.5, 1: 3.9, 2: 3.1, 3: 4.5, 4: 5.0, 5: 11.2, 6: 10.0, 7: 11.9}
    log = group_events(as_log([(s, s, int(day * DAY)) for s, day in ends.items()]))
    train, test = by_period(log, "7d")
    assert (items_of(train), items_of(test)) == ([[0], [2], [1]], [[4], [6], [5], [7]])
    assert test.notes == ("dropped 1 events: 1 sessions that end between train and test",)


def test_a_period_counts_in_units_of_its_own(as_log):
    log = group_events(as_log([(s, s, time) for s, time in enumerate((0, 10, 11, 12, 86_410))]))
    assert [len(part) for part in by_period(log, "86400s")] == [1, 3]
    in_milliseconds = replace(log, times=log.times * 1000 + 999, ticks_per_second=1000)
    assert [items_of(part) for part in by_period(in_milliseconds, "86400s")] == [
        items_of(p) for p in by_period(log, "86400s")
    ]


def test_test_sessions_that_begin_in_train_are_told(as_log):
    log = group_events(as_log([(1, 1, 0), (1, 2, 5 * DAY), (2, 3, 4 * DAY), (2, 4, 9 * DAY)]))
    train, test = by_period(log, "2d")
    assert (items_of(train), items_of(test)) == ([[1, 2]], [[3, 4]])
    assert test.notes == ("1 test sessions begin before the last training session ends",)


@pytest.mark.parametrize(
    ("times", "ticks", "message"),
    [
        ([0, 1], 1, "test_period 7d: no session ends before it"),
        (
            [0, 1_700_000_000_000],
            1,
            r"test_period: a time would be 53,871 years from 1970; say its unit with time_unit",
        ),
        ([0, 1], None, "test_period: the events have an order, but no times to count in"),
    ],
)
def test_a_period_that_cannot_be_counted_is_refused(as_log, times, ticks, message):
    log = replace(group_events(as_log([(s, 1, time) for s, time in enumerate(times)])), ticks_per_second=ticks)
    with pytest.raises(InputError, match=message):
        by_period(log, "7d")


@given(ROWS, st.integers(1, 20))
def test_a_period_accounts_for_every_event(as_log, rows, seconds):
    log = group_events(as_log(rows))
    try:
        train, test = by_period(log, f"{seconds}s")
    except InputError:
        return
    assert train.sessions.n_events + test.sessions.n_events + n_dropped((*train.notes, *test.notes)) == len(rows)
    assert not set(train.ids.to_pylist()) & set(test.ids.to_pylist())
    assert train.ends.max() < log.times.max() - seconds < test.ends.min()


@given(ROWS, st.sampled_from([0.015625, 0.25, 0.5, 0.9]))
def test_the_most_recent_targets_are_those_of_the_expanded_list(as_log, rows, share):
    log = group_events(as_log([*rows, *((s, 1, 40 + s) for s in range(10) for _ in range(2))]))
    by_end = sorted(range(len(log)), key=lambda s: log.ends[s])
    examples = [(session, n) for session in (items_of(log)[s] for s in by_end) for n in range(len(session) - 1, 0, -1)]
    n_kept = int(len(examples) * share)
    if n_kept == 0:
        return
    recent = most_recent(log, share)
    found = [(session, n) for session in items_of(recent) for n in range(len(session) - 1, 0, -1)]
    assert [(s[:n], s[n]) for s, n in found] == [(s[:n], s[n]) for s, n in examples[-n_kept:]]
    assert recent.sessions.n_events + n_dropped(recent.notes) == log.sessions.n_events


def test_a_share_that_leaves_nothing_is_refused(as_log):
    with pytest.raises(InputError, match=r"recent_share 0.1: nothing would be left of 2 training targets"):
        most_recent(group_events(as_log([(1, item, item) for item in range(3)])), 0.1)


@given(ROWS, st.integers(2, 4))
def test_item_support_is_one_pass_in_the_order_of_the_literature(as_log, rows, minimum):
    frame = pd.DataFrame(rows, columns=["session", "item", "time"])
    frame = frame[frame.groupby("session")["item"].transform("size") >= 2]
    frame = frame[frame.groupby("item")["item"].transform("size") >= minimum]
    if frame.empty:
        with pytest.raises(InputError, match=f"no events left of {len(rows)} after min_item_support {minimum}"):
            item_support(as_log(rows), minimum, 2)
        return
    events, notes = item_support(as_log(rows), minimum, 2)
    kept = zip(
        events.session_ids.take(pa.array(events.sessions)).to_pylist(),
        events.item_ids.take(pa.array(events.items)).to_pylist(),
        events.times.tolist(),
        strict=True,
    )
    assert list(kept) == list(frame.itertuples(index=False, name=None))
    assert len(events) + n_dropped(notes) == len(rows)


def test_a_user_is_cut_where_nothing_happens(as_log):
    rows = [(7, 1, 0), (9, 2, 10), (7, 3, 1_800), (7, 4, 3_601), (9, 5, 5_000), (7, 6, 3_602)]
    events = sessions_by_gap(as_log(rows), "30m")
    ids = events.session_ids.take(pa.array(events.sessions)).to_pylist()
    assert ids == ["7/1", "9/1", "7/1", "7/2", "9/2", "7/2"]
    assert events.session_ids.to_pylist() == ["7/1", "9/1", "7/2", "9/2"]


@given(ROWS, st.integers(1, 10))
def test_gaps_are_those_of_a_loop(as_log, rows, gap):
    expected: list[list[int]] = []
    for user in dict.fromkeys(row[0] for row in rows):
        last = None
        for _, item, time in sorted((row for row in rows if row[0] == user), key=lambda row: row[2]):
            if last is None or time - last > gap:
                expected.append([])
            expected[-1].append(item)
            last = time
    assert sorted(items_of(group_events(sessions_by_gap(as_log(rows), f"{gap}s")))) == sorted(expected)


def test_a_log_of_users_becomes_one_of_sessions(write):
    """Nine visits of two users, three events each, in milliseconds; their session field is not asked."""
    rows = [(u, 1, i, 3_600_000 * v + 60_000 * i + u) for v in range(9) for u in (1, 2) for i in range(3)]
    header = "user_id:token\tsession_id:token\titem_id:token\ttimestamp:float\n"
    path = write("log.inter", header + "".join("\t".join(map(str, row)) + "\n" for row in rows))
    options = {"dataset": str(path), "time_unit": "ms", "session_gap": "30m", "split": "leave_one_out"}
    with pytest.raises(InputError, match="the longest has 3"):
        load_splits(DataConfig(**options))
    assert load_splits(DataConfig(**{**options, "session_gap": "2h"})).n_items == 4


def test_gaps_need_a_unit(as_log):
    with pytest.raises(InputError, match=r"session_gap: a time would be .* say its unit with time_unit"):
        sessions_by_gap(as_log([(1, 1, 10**14)]), "30m")


def test_unknown_items_may_be_kept(write):
    header = "session_id,item_id,time\n"
    train = write("train.csv", header + "1,a,1\n1,b,2\n2,b,3\n2,a,4\n")
    test = write("test.csv", header + "3,a,5\n3,c,6\n3,b,7\n")
    options = {"dataset": str(train), "test_file": str(test), "valid_share": 0.5}
    dropped, kept = (load_splits(DataConfig(**options, unknown_items=what)) for what in ("drop", "keep"))
    assert (len(dropped.test), dropped.vocabulary.ids.tolist()) == (1, ["a", "b"])
    assert (len(kept.test), kept.vocabulary.ids.tolist()) == (2, ["a", "b", "c"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test_file": "t.csv"}, "test_period: the test sessions are given"),
        ({"split": "leave_one_out"}, "test_period: leave_one_out makes test targets of its own"),
    ],
)
def test_a_period_where_test_is_made_otherwise_is_refused(write, options, message):
    path = write("log.csv", "session_id,item_id,time\n1,1,1\n")
    with pytest.raises(InputError, match=message):
        load_splits(DataConfig(dataset=str(path), test_period="7d", **options))
