"""Wrong rows are counted and shown, and left out only on request."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from narm.config import DataConfig
from narm.data.datasets import load_splits
from narm.data.events import read_events
from narm.errors import InputError

SKIP = DataConfig(bad_lines="skip")
HEADER = "session_id,item_id,time\n"


def test_wrong_rows_are_counted(write):
    path = write("a.csv", HEADER + "1,2,3\n,5,6\n1,2\n1,2,noon\n1,2,4\n")
    with pytest.raises(InputError, match=r"line 3: session_id is empty; 3 wrong in all, which `bad_lines: skip` would"):
        read_events(path, DataConfig())


@pytest.mark.parametrize(
    ("text", "n_right", "n_wrong"),
    [
        ("1,2,3\n,5,6\n1,2\n1,2,noon\n1,2,4\n", 2, 3),
        ("1,2\n1,2,3\n", 1, 1),
        ("1,2,noon\n\n1,2,3\n", 1, 1),
        ("1,2,3\n1,2,2014-04-07\n1,2,4\n", 2, 1),
        ("1,2,2014-04-07\n1,2,3\n1,2,2014-04-08\n", 2, 1),
        ("1,2,2014-04-07T10:00:00\n1,2,2014-04-07T10:00:00Z\n1,2,2014-04-08\n", 2, 1),
        ("1,2,2014-04-07T10:00:00+02:00\n1,2,2014-04-08T10:00:00\n1,2,2014-04-07T10:00:00Z\n", 2, 1),
        ('1,2,3\n1,"' + "x" * 200_000 + '",4\n1,2,5\n', 3, 0),
        ("1,2,3\n1,2,nan\n1,2,1e400\n1,2,4.5\n", 2, 2),
        ("1,2,3\n1,2,99999999999999999999999.5\n", 2, 0),
    ],
)
def test_wrong_rows_are_left_out_and_the_others_are_not(write, text, n_right, n_wrong):
    events = read_events(write("a.csv", HEADER + text), SKIP)
    assert (len(events), events.n_wrong) == (n_right, n_wrong)
    assert sum(note.startswith(f"dropped {n_wrong} wrong rows") for note in events.notes) == (1 if n_wrong else 0)


def test_what_was_left_out_is_a_note_of_the_splits(write):
    lines = "".join(f"{s},{i},{10 * s + i}\n" for s in range(10) for i in range(3))
    splits = load_splits(DataConfig(dataset=str(write("a.csv", HEADER + lines + "1,2\n")), bad_lines="skip"))
    assert splits.notes[0].startswith("dropped 1 wrong rows; the first: ")
    assert splits.notes[0].endswith("a.csv, line 32: 2 columns where the header has 3")


def test_bytes_that_are_no_text_are_left_out(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(HEADER.encode() + b"1,\xff,3\n1,2,4\n\xff,1,1\n")
    events = read_events(path, SKIP)
    assert (len(events), events.n_wrong) == (1, 2)


def test_a_file_without_any_right_row_is_an_error(write):
    with pytest.raises(InputError, match=r"a.csv, line 2: session_id is empty"):
        read_events(write("a.csv", HEADER + ",2,3\n"), SKIP)


def test_wrong_rows_of_lists_are_left_out(write):
    text = "user_id:token\titem_id:token_seq\ttimestamp:float_seq\n1\t1 2\t3 4\n2\t1 2\t3\n3\t5\t9\n"
    events = read_events(write("a.inter", text), SKIP)
    assert (len(events), events.n_wrong) == (3, 1)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("2014-04-07T10:00:00", "2014-04-07T10:00:00Z", "with a zone, unlike the time before, which is a date without"),
        ("2014-04-07T10:00:00Z", "2014-04-07", "without a zone, unlike the time before, which is a date with a zone"),
        ("2014-04-07", "3", "a number, unlike the time before, which is a date without a zone"),
    ],
)
def test_times_of_two_kinds_are_named_by_line(write, first, second, message):
    with pytest.raises(InputError, match=rf"a.csv, line 3: time '{second}' is .*{message}.*; 1 wrong in all"):
        read_events(write("a.csv", f"{HEADER}1,2,{first}\n1,2,{second}\n"), DataConfig())


def test_times_of_two_kinds_in_one_row_are_wrong(write):
    text = "user_id:token\titem_id:token_seq\ttimestamp:float_seq\n1\t1 2\t2014-04-07 3\n2\t1 2\t3 4\n"
    events = read_events(write("a.inter", text), SKIP)
    assert (len(events), events.n_wrong) == (2, 1)


@pytest.fixture
def holes(tmp_path):
    """A Parquet file of six rows of which three are wrong, one of them twice."""
    columns = {
        "session_id": pa.array(["a", None, "b", "b", "a", "b"]),
        "item_id": pa.array([7, None, 8, None, 9, 7]),
        "time": pa.array([1.0, 2.0, None, 4.0, 5.0, 6.0]),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    return tmp_path / "a.parquet"


def test_wrong_rows_of_parquet_are_counted(holes):
    with pytest.raises(InputError, match=r"a.parquet, row 2: no session id; 3 wrong in all, which `bad_lines: skip`"):
        read_events(holes, DataConfig())


def test_wrong_rows_of_parquet_are_left_out(holes):
    events = read_events(holes, SKIP)
    assert (events.session_ids.to_pylist(), events.item_ids.to_pylist()) == (["a", "b"], [7, 9])
    assert [array.tolist() for array in (events.sessions, events.items, events.times)] == [
        [0, 0, 1],
        [0, 1, 0],
        [1.0, 5.0, 6.0],
    ]
    assert events.n_wrong == 3
    assert events.notes[0] == f"dropped 3 wrong rows; the first: {holes}, row 2: no session id"


def test_empty_text_and_times_that_are_no_numbers_are_wrong_in_parquet(tmp_path):
    columns = {"session_id": ["", "a", "a"], "item_id": ["x", "x", "y"], "time": [1.0, float("nan"), 2.0]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    events = read_events(tmp_path / "a.parquet", SKIP)
    assert (events.session_ids.to_pylist(), events.item_ids.to_pylist(), events.n_wrong) == (["a"], ["y"], 2)


def test_a_parquet_file_without_any_right_row_is_an_error(tmp_path):
    columns = {"session_id": [1], "item_id": pa.array([None], pa.int64()), "time": [1]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a.parquet, row 1: no item id; no row is right"):
        read_events(tmp_path / "a.parquet", SKIP)
