"""Each format gives the events as they stand in the file, to the last digit."""

from __future__ import annotations

import gc
import gzip
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from narm.config import DataConfig
from narm.data.events import Events, read_events

CONFIG = DataConfig()


def rows(events: Events) -> list[tuple[object, object, object]]:
    sessions = events.session_ids.take(pa.array(events.sessions)).to_pylist()
    items = events.item_ids.take(pa.array(events.items)).to_pylist()
    return list(zip(sessions, items, events.times.tolist(), strict=True))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "session_id,item_id,timestamp\n7,b,30\n7,a,10\n5,b,20\n"),
        ("a.csv", "\ufeffSessionId;ItemId;Time\r\n7;b;30\r\n7;a;10\r\n\r\n5;b;20\r\n"),
        ("a.csv", 'x,item_id,user_id,timestamp\n"1,2",b,7,30\n,a,7,10\nz,"b",5,20\n'),
        ("a.tsv", "session_id\titem_id\ttimestamp\n7\tb\t30\n7\ta\t10\n5\tb\t20"),
        ("a.txt", "SessionId\tItemId\tTime\n7\tb\t30\n7\ta\t10\n5\tb\t20\n"),
        ("a.inter", "user_id:token\titem_id:token\ttimestamp:float\n7\tb\t30\n7\ta\t10\n5\tb\t20\n"),
    ],
)
def test_text_formats_are_recognised(write, name, text):
    assert rows(read_events(write(name, text), CONFIG)) == [(7, "b", 30), (7, "a", 10), (5, "b", 20)]


def test_gzip_is_transparent(tmp_path):
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(b"session_id,item_id,timestamp\n1,2,3\n"))
    assert rows(read_events(path, CONFIG)) == [(1, 2, 3)]


def test_parquet_takes_integers_text_and_dictionaries(tmp_path):
    path = tmp_path / "log.parquet"
    times = pa.array([30, 10], pa.timestamp("ms"))
    items = pa.array(["b", "a"]).dictionary_encode()
    pq.write_table(pa.table({"item_id": items, "ts": times, "user": pa.array([7, 7], pa.uint32())}), path)
    assert rows(read_events(path, CONFIG)) == [(7, "b", 30_000_000), (7, "a", 10_000_000)]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["9007199254740993", "-5"], [9007199254740993, -5]),
        (["1", "2.5"], [1.0, 2.5]),
        (["1396437466.94", "1e9"], [1396437466.94, 1e9]),
        (
            ["2014-04-07T10:51:09.277Z", "2014-04-07T10:51:09+02:00"],
            [1396867869277000000, 1396860669000000000],
        ),
        (["2014-04-07", "2014-04-07 00:00:00.000000001"], [1396828800000000000, 1396828800000000001]),
    ],
)
def test_times_are_exact(write, texts, expected):
    lines = "".join(f"1,1,{text}\n" for text in texts)
    events = read_events(write("a.csv", "session_id,item_id,time\n" + lines), CONFIG)
    assert events.times.tolist() == expected
    assert events.times.dtype == np.asarray(expected).dtype


@pytest.mark.parametrize(("texts", "kind"), [(["7", "10"], int), (["7", "007"], str), (["7", "NA"], str)])
def test_ids_become_integers_only_when_nothing_is_lost(write, texts, kind):
    lines = "".join(f"1,{text},1\n" for text in texts)
    ids = read_events(write("a.csv", "session_id,item_id,time\n" + lines), CONFIG).item_ids
    assert ids.to_pylist() == [kind(text) for text in texts]


def test_columns_may_be_named(write):
    path = write("a.csv", "session_id,visit,sku,timestamp,at\n1,2,3,4,5\n")
    config = DataConfig(session_column="visit", item_column="sku", time_column="at")
    assert rows(read_events(path, config)) == [(2, 3, 5)]


def test_atomic_files_are_of_users_and_others_of_sessions_when_they_have_both(write):
    atomic = write("a.inter", "session_id:token\tuser_id:token\titem_id:token\ttimestamp:float\n1\t2\t3\t4\n")
    table = write("a.csv", "user_id,session_id,item_id,timestamp\n2,1,3,4\n")
    assert rows(read_events(atomic, CONFIG)) == [(2, 3, 4)]
    assert rows(read_events(table, CONFIG)) == [(1, 3, 4)]


def test_atomic_files_tolerate_fields_of_any_type(write):
    path = write(
        "a.inter",
        "tags:token_seq|item_id:token|vector:float_seq|rating:float|user_id:token|timestamp:float\n"
        'x "y|10|0.5 0.25|n/a|1|5\n|20|||2|6\n',
    )
    events = read_events(path, DataConfig(field_separator="|"))
    assert rows(events) == [(1, 10, 5), (2, 20, 6)]


def test_atomic_rows_of_several_items_are_as_many_events(write):
    path = write(
        "a.inter",
        "user_id:token\titem_id:token_seq\ttimestamp:float_seq\n1\t10;20\t5;6.5\n2\t\t\n3\t10;;30;\t7;8\n",
    )
    events = read_events(path, DataConfig(seq_separator=";"))
    assert rows(events) == [(1, 10, 5.0), (1, 20, 6.5), (3, 10, 7.0), (3, 30, 8.0)]


def test_atomic_rows_of_several_items_may_share_a_time(write):
    path = write("a.inter", "session_id:token\titem_id:token_seq\ttimestamp:float\n1\t10 20\t5\n")
    assert rows(read_events(path, CONFIG)) == [(1, 10, 5), (1, 20, 5)]


def test_a_folder_is_read_as_recbole_does(write):
    path = write("mine/mine.inter", "user_id:token\titem_id:token\ttimestamp:float\n1\t2\t3\n")
    assert rows(read_events(path.parent, CONFIG)) == [(1, 2, 3)]


def test_codes_are_in_order_of_first_appearance_across_blocks(write, monkeypatch):
    monkeypatch.setattr("narm.data.readers.text.BLOCK_BYTES", 64)
    ids = np.random.default_rng(0).integers(1_000, 1_100, size=(500, 2))
    text = "".join(f"{session},{item},1\n" for session, item in ids)
    events = read_events(write("a.csv", "session_id,item_id,time\n" + text), CONFIG)
    assert [row[:2] for row in rows(events)] == [tuple(pair) for pair in ids.tolist()]
    for codes in (events.sessions, events.items):
        _, first = np.unique(codes, return_index=True)
        assert (np.diff(first) > 0).all()


def test_nothing_of_a_failed_first_attempt_is_kept(write):
    """The time column is read twice when a fraction follows integers; a long log must not stay in memory twice."""
    path = write("a.csv", "session_id,item_id,time\n" + "1,2,3\n" * 5_000 + "1,2,3.5\n")
    gc.collect()
    gc.disable()
    try:
        before = pa.total_allocated_bytes()
        events = read_events(path, CONFIG)
        del events
        deadline = time.monotonic() + 10  # pyarrow's own threads let go of a block when they are next scheduled
        while pa.total_allocated_bytes() != before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert pa.total_allocated_bytes() == before
    finally:
        gc.enable()
