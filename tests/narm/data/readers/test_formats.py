"""The raw files of the literature, and files of sessions and examples, event by event."""

from __future__ import annotations

import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from narm.config import DataConfig
from narm.data.datasets import load_splits
from narm.data.events import Events, read_events
from narm.errors import InputError

CONFIG = DataConfig()
DAY = 86_400 * 10**9
MAY_9 = 16_930 * DAY  # 2016-05-09

CLICKS = """\
2,2014-04-07T13:56:37.614Z,214662742,0
2,2014-04-07T13:57:19.373Z,214662742,S
1,2014-04-07T10:51:09.277Z,214536502,0
"""
VIEWS = """\
session_id;user_id;item_id;timeframe;eventdate
1;NA;81766;526309;2016-05-09
1;NA;31331;1031018;2016-05-09
2;7;9654;75848;2016-05-08
2;7;32118;0;2016-05-09
"""


def rows(events: Events) -> list[tuple[object, object, object]]:
    sessions = events.session_ids.take(pa.array(events.sessions)).to_pylist()
    items = events.item_ids.take(pa.array(events.items)).to_pylist()
    return list(zip(sessions, items, events.times.tolist(), strict=True))


def sessions_of(events: Events) -> list[list[object]]:
    found: dict[object, list[object]] = {}
    for session, item, _ in rows(events):
        found.setdefault(session, []).append(item)
    return list(found.values())


def prefixes_of(sessions: list[list[int]]) -> tuple[list[list[int]], list[int]]:
    """As the preprocessing of SR-GNN writes them: the longest first."""
    cuts = [(session, n) for session in sessions for n in range(len(session) - 1, 0, -1)]
    return [session[:n] for session, n in cuts], [session[n] for session, n in cuts]


@pytest.mark.parametrize("header", ["", "session_id,timestamp,item_id,category\n"])
def test_yoochoose_clicks_as_published_and_with_a_header(write, header):
    events = read_events(write("yoochoose-clicks.dat", header + CLICKS), CONFIG)
    assert rows(events) == [
        (2, 214662742, 1396878997614000000),
        (2, 214662742, 1396879039373000000),
        (1, 214536502, 1396867869277000000),
    ]
    assert events.ticks_per_second == 10**9


OWNERS_HEADER = "sessionId;userId;itemId;timeframe;eventdate"


@pytest.mark.parametrize("header", [VIEWS.splitlines()[0], OWNERS_HEADER])
@pytest.mark.parametrize("time_column", [None, "timeframe"])
def test_views_of_diginetica_are_ordered_by_timeframe_in_the_day_of_their_last_row(write, header, time_column):
    views = VIEWS.replace(VIEWS.splitlines()[0], header)
    config = CONFIG.model_copy(update={"time_column": time_column})
    events = read_events(write("train-item-views.csv", views), config)
    assert rows(events) == [
        (1, 81766, MAY_9 + 526_309 * 10**6),
        (1, 31331, MAY_9 + 1_031_018 * 10**6),
        (2, 9654, MAY_9 + 75_848 * 10**6),
        (2, 32118, MAY_9),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1;NA;5;1.5;2016-05-09", "line 6: timeframe '1.5' is not a number of milliseconds"),
        ("1;NA;5;99999999999;2016-05-09", "line 6: timeframe '99999999999' is not a number of milliseconds"),
        ("1;NA;5;7;May", "line 6: eventdate 'May' is not a date such as 2016-05-09"),
        ("1;NA;5;7;", "line 6: eventdate '' is not a date"),
    ],
)
def test_a_wrong_view_is_one_clear_line(write, line, message):
    with pytest.raises(InputError, match=message):
        read_events(write("views.csv", VIEWS + line + "\n"), CONFIG)


def test_a_wrong_click_is_one_clear_line(write):
    with pytest.raises(InputError, match="line 4: 2 columns where there should be 4"):
        read_events(write("clicks.dat", CLICKS + "1,2\n"), CONFIG)
    with pytest.raises(InputError, match=r"clicks.dat, line 1: empty"):
        read_events(write("clicks.dat", ""), CONFIG)


def test_a_row_may_be_a_session(write):
    text = "session_id:token\titem_id_list:token_seq\ttimestamp:float\n7\ta b a\t20\n5\tc\t10\n"
    events = read_events(write("a.inter", text), CONFIG)
    assert rows(events) == [(7, "a", 20), (7, "b", 20), (7, "a", 20), (5, "c", 10)]
    assert not events.of_users
    alone = read_events(write("b.inter", "item_id_list:token_seq\tx:token\na b a\t1\nc\t1\n"), CONFIG)
    assert rows(alone) == [("b.inter:1", "a", 0), ("b.inter:1", "b", 1), ("b.inter:1", "a", 2), ("b.inter:2", "c", 3)]
    assert alone.ticks_per_second is None


SESSIONS = [[1, 2, 3], [1, 2], [2, 2, 2, 2], [1, 2, 3], [1, 2, 3, 4]]


@pytest.mark.parametrize("order", ["longest first", "shortest first"])
def test_a_row_may_be_an_example(write, order):
    lines = []
    for number, session in enumerate(SESSIONS):
        ends = range(len(session) - 1, 0, -1) if order == "longest first" else range(1, len(session))
        lines += [f"{number}\t{' '.join(map(str, session[:n]))}\t{session[n]}\n" for n in ends]
    text = "session_id:token\titem_id_list:token_seq\titem_id:token\n" + "".join(lines)
    assert sessions_of(read_events(write("a.inter", text), CONFIG)) == SESSIONS


def test_a_row_is_an_example_also_where_the_item_is_named(write):
    """RecBole's configurations name ITEM_ID_FIELD nearly always: the list is that of this item."""
    text = (
        "user_id:token\tx_list:token_seq\tx:token\ty_list:token_seq\ttimestamp:float\n1\ta\tb\tq\t1\n1\ta b\tc\tq\t2\n"
    )
    events = read_events(write("a.inter", text), DataConfig(item_column="x"))
    assert sessions_of(events) == [["a", "b", "c"]]


def test_rows_that_are_filled_up_with_zeros_are_told(write):
    events = read_events(write("a.inter", "item_id_list:token_seq\n1 2 0 0\n3 1 2 0\n0 3 1\n"), CONFIG)
    assert events.notes == ("a.inter: 0 ends 2 rows and is taken for an item; leave it out if it only fills them up",)
    assert read_events(write("b.inter", "item_id_list:token_seq\n1 0\n0 2\n"), CONFIG).notes == ()


def test_a_tab_may_be_written_as_backslash_and_t(write):
    text = "user_id:token\titem_id:token\ttimestamp:float\n1\t5\t1\n"
    assert len(read_events(write("a.inter", text), DataConfig(field_separator=r"\t"))) == 1


def test_examples_that_are_not_every_prefix_are_refused(write):
    text = "item_id_list:token_seq\titem_id:token\n1 2\t3\n4\t5\n"
    with pytest.raises(InputError, match=r"its 2 rows are not every prefix of whole sessions, which would be 3"):
        read_events(write("a.inter", text), CONFIG)
    with pytest.raises(InputError, match=r"line 3: .* is empty: no item before the item_id:token"):
        read_events(write("b.inter", "item_id_list:token_seq\titem_id:token\n1\t3\n\t5\n"), CONFIG)


def test_examples_in_another_order_are_refused_for_their_order(write):
    text = "item_id_list:token_seq\titem_id:token\n1 2\t3\n4\t5\n1\t2\n4 5\t6\n"
    with pytest.raises(InputError, match=r"its 4 rows are every prefix of sessions, but not one after the other"):
        read_events(write("a.inter", text), CONFIG)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", ["all_train_seq.txt", "digi_train.pkl"])
def test_pickles_of_sessions_and_of_examples(tmp_path, protocol, name):
    path = tmp_path / name
    path.write_bytes(pickle.dumps(SESSIONS, protocol))
    assert sessions_of(read_events(path, CONFIG)) == SESSIONS
    path.write_bytes(pickle.dumps(prefixes_of(SESSIONS), protocol))
    events = read_events(path, CONFIG)
    assert sessions_of(events) == SESSIONS
    assert events.session_ids[0].as_py() == f"{name}:1"
    assert events.ticks_per_second is None


@given(st.lists(st.lists(st.integers(1, 4), min_size=2, max_size=5), min_size=1, max_size=8))
def test_the_prefixes_of_any_sessions_become_these_sessions(tmp_path_factory, sessions):
    path = tmp_path_factory.mktemp("pickle") / "train.txt"
    path.write_bytes(pickle.dumps(prefixes_of(sessions)))
    assert sessions_of(read_events(path, CONFIG)) == sessions


def test_pickled_parts_make_splits(tmp_path):
    for name, sessions in {"train": SESSIONS * 4, "test": [[3, 2], [9, 1, 2]]}.items():
        (tmp_path / f"{name}.txt").write_bytes(pickle.dumps(prefixes_of(sessions)))
    splits = load_splits(DataConfig(dataset=str(tmp_path / "train.txt"), test_file=str(tmp_path / "test.txt")))
    assert [len(part) for part in (splits.train, splits.valid, splits.test)] == [39, 5, 2]
    assert splits.notes == ("dropped 1 events: test events of items that train does not have",)


class Evil:
    def __reduce__(self):
        return eval, ("open('harmed', 'w').write('')",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_malicious_pickle_is_refused_and_not_run(tmp_path, monkeypatch, protocol):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([[1, 2], Evil()], protocol))
    with pytest.raises(InputError, match=r"a.pkl, byte \d+: refused: \w+ makes something else than") as caught:
        read_events(tmp_path / "a.pkl", CONFIG)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "harmed").exists()


def shared(depth: int) -> object:
    """Lists of lists of lists, each ten times the same: a few bytes that would be 10 ** depth items."""
    made: object = [1] * 10
    for _ in range(depth):
        made = [made] * 10
    return made


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps(shared(1) * 1_000), "items in .* bytes: no dataset is written so"),
        (pickle.dumps((shared(1) * 1_000, [1] * 10_000)), "items in .* bytes: no dataset is written so"),
        (pickle.dumps(shared(12)), "an item is not an integer of 64 bits"),
        (b"\x80\x02]r\xff\xff\xff\xff.", "neither a list of sessions"),  # a memo of 2**32 for pickle itself
        (b"\x80\x02]", "not a whole pickle"),
        (b"\x80\x02a.", "not a whole pickle"),
        (b"\x80\x02h\x07.", "not a whole pickle"),
        (b"\x80\x02X\xff\xff\xff\x7fab.", "not a whole pickle"),
        (b"\x80\x02\x89.", "refused: NEWFALSE"),
        (pickle.dumps({1: [2]}), "refused: EMPTY_DICT"),
        (pickle.dumps([["a"]]), "refused: "),
        (pickle.dumps([1, 2]), "neither a list of sessions nor"),
        (pickle.dumps(7), "neither a list of sessions nor"),
        (pickle.dumps([]), "neither a list of sessions nor"),
        (pickle.dumps([[], []]), "no events"),
        (pickle.dumps([[2**63]]), "an item is not an integer of 64 bits"),
        (pickle.dumps([[(1, 2)]]), "an item is not an integer of 64 bits"),
        (pickle.dumps(([[1], []], [2, 3])), "example 2 has no item before its target"),
    ],
)
def test_a_damaged_or_strange_pickle_is_one_clear_line(tmp_path, content, message):
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_events(path, CONFIG)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.csv", "a.inter", "clicks.dat", "a.pkl"])
def test_zstandard_is_transparent(tmp_path, name):
    content = {
        "a.csv": b"session_id,item_id,time\n1,2,3\n",
        "a.inter": b"session_id:token\titem_id:token\ttimestamp:float\n1\t2\t3\n",
        "clicks.dat": b"1,1970-01-01T00:00:00Z,2,0\n",
        "a.pkl": pickle.dumps([[2]]),
    }[name]
    path = tmp_path / f"{name}.zst"
    path.write_bytes(pa.compress(content, "zstd", asbytes=True))
    assert sessions_of(read_events(path, CONFIG)) == [[2]]
    path.write_bytes(pa.compress(content, "zstd", asbytes=True)[:-4])
    with pytest.raises(InputError, match=rf"{name}.zst: "):
        read_events(path, CONFIG)


@pytest.mark.parametrize(
    ("texts", "expected", "ticks"),
    [
        (["1396437466.123456789", "1396437466.123456788"], [1396437466123456789, 1396437466123456788], 10**9),
        (["9007199254740993.5", "9007199254740993.25"], [9007199254740993500, 9007199254740993250], 10**3),
        (["1396437466.1234567", "1.5e3"], [1396437466.1234567, 1500.0], 1),
    ],
)
def test_decimals_that_floats_cannot_tell_apart_stay_exact(write, texts, expected, ticks):
    lines = "".join(f"1,1,{text}\n" for text in texts)
    events = read_events(write("a.csv", "session_id,item_id,time\n" + lines), CONFIG)
    assert events.times.tolist() == expected
    assert events.ticks_per_second == ticks


def test_decimals_that_nothing_can_tell_apart_are_refused(write):
    text = "session_id,item_id,time\n1,1,9007199254740993.0000000001\n1,1,9007199254740993.0000000002\n"
    with pytest.raises(InputError, match=r"a.csv: times of more digits than can be distinguished"):
        read_events(write("a.csv", text), CONFIG)


@given(st.lists(st.decimals(-(10**9), 10**9, allow_nan=False, places=9), min_size=2, max_size=20))
def test_the_order_of_any_decimals_is_kept(tmp_path_factory, decimals):
    path = tmp_path_factory.mktemp("times") / "a.csv"
    path.write_text("session_id,item_id,time\n" + "".join(f"1,1,{d}\n" for d in decimals))
    times = read_events(path, CONFIG).times
    assert np.argsort(times, kind="stable").tolist() == sorted(range(len(decimals)), key=lambda n: decimals[n])


def test_the_parts_of_a_recbole_folder(write):
    header = "session_id:token\titem_id_list:token_seq\titem_id:token\n"
    folder = write("shop/shop.train.inter", header + "1\t1 2\t3\n2\t1\t2\n3\t2\t1\n").parent
    write("shop/shop.valid.inter", header + "1\t3\t1\n")
    write("shop/shop.test.inter", header + "1\t2 1\t3\n2\t2\t1\n")
    options = {"dataset": str(folder), "benchmark_filename": "[train, valid, test]"}
    splits = load_splits(DataConfig(**options))
    assert (splits.name, [len(part) for part in (splits.train, splits.valid, splits.test)]) == ("shop", [3, 1, 2])
    two = load_splits(DataConfig(dataset=str(folder), benchmark_filename=("train", "test"), valid_share=0))
    assert [len(part) for part in (two.train, two.valid, two.test)] == [3, 0, 2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"benchmark_filename": ["train"]}, "name train, valid and test, or train and test"),
        ({"benchmark_filename": ["train", "valid", "best"]}, r"shop.best.inter: no such file"),
        ({"benchmark_filename": ["train", "valid", "test"], "test_file": "x"}, "has test sessions of its own"),
        ({"benchmark_filename": ["train", "test"], "dataset": "none"}, "it is a folder, and none is none"),
    ],
)
def test_parts_that_are_not_there(write, options, message):
    header = "item_id_list:token_seq\titem_id:token\n"
    folder = write("shop/shop.train.inter", header + "1 2\t3\n1\t2\n").parent
    write("shop/shop.valid.inter", header + "3\t1\n")
    with pytest.raises(InputError, match=message):
        load_splits(DataConfig(**{"dataset": str(folder), **options}))
