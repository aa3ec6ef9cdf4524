"""Bad data: one line that says what is wrong, and where."""

from __future__ import annotations

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from narm.config import DataConfig
from narm.data.datasets import load_splits
from narm.data.events import read_events
from narm.errors import InputError

CSV = "session_id,item_id,time\n1,10,1\n1,20,2\n"
ATOMIC = "user_id:token\titem_id:token\ttimestamp:float\n1\t10\t1\n"

BAD_FILES = {
    "empty file": ("a.csv", "", {}, "a.csv, line 1: empty"),
    "blank header": ("a.csv", "\n1,2,3\n", {}, "a.csv, line 1: empty"),
    "header only": ("a.csv", "session_id,item_id,time\n", {}, "a.csv: no events below line 1"),
    "one column": ("a.csv", "session_id\n1\n", {}, "a.csv, line 1: one column, 'session_id'"),
    "no item column": (
        "a.csv",
        "session_id,thing,time\n1,2,3\n",
        {},
        "line 1: .* item_column: session_id, thing, time",
    ),
    "no such column": (
        "a.csv",
        CSV,
        {"item_column": "item"},
        r"no column 'item' \(item_column\); did you mean 'item_id'",
    ),
    "a column twice": (
        "a.csv",
        "session_id,time,item_id,time\n1,1,1,1\n",
        {},
        "line 1: column 'time' appears twice",
    ),
    "too few columns": ("a.csv", CSV + "\n2,10\n", {}, "a.csv, line 5: 2 columns where the header has 3"),
    "too many columns": ("a.csv", CSV + "2,10,3,4\n", {}, "a.csv, line 4: 4 columns where the header has 3"),
    "text for a time": (
        "a.csv",
        CSV + "2,10,noon\n",
        {},
        "a.csv, line 4: time 'noon' is not a finite number",
    ),
    "text for the first time": (
        "a.csv",
        "session_id,item_id,time\n1,1,noon\n",
        {},
        "a.csv, line 2: time 'noon'",
    ),
    "no time": ("a.csv", CSV + "2,10,\n", {}, "a.csv, line 4: time '' is not"),
    "NaN": ("a.csv", CSV + "2,10,nan\n", {}, "a.csv, line 4: time 'nan' is not a finite"),
    "infinity": ("a.csv", CSV + "2,10,-inf\n", {}, "a.csv, line 4: time '-inf' is not a finite"),
    "a date among numbers": (
        "a.csv",
        CSV + "2,10,2014-04-07\n",
        {},
        "line 4: time '2014-04-07' is a date without a zone, unlike",
    ),
    "a year too far": (
        "a.csv",
        "session_id,item_id,time\n1,1,9999-01-01\n",
        {},
        "line 2: time '9999-01-01' is not",
    ),
    "no session": ("a.csv", CSV + ",10,3\n", {}, "a.csv, line 4: session_id is empty"),
    "no item": ("a.csv", CSV + "2,,3\n", {}, "a.csv, line 4: item_id is empty"),
    "unknown format": ("a.json", "{}", {}, "a.json: unknown format '.json'; known: .inter, .csv"),
    "not Parquet": ("a.parquet", "PAR0", {}, "a.parquet: not a Parquet file"),
    "not gzip": ("a.csv.gz", CSV, {}, "a.csv.gz: cannot be unpacked: .*(zlib|incorrect header)"),
    "atomic without types": ("a.inter", CSV.replace(",", "\t"), {}, "line 1: 'session_id' is not field:type"),
    "atomic unknown type": ("a.inter", ATOMIC.replace("float", "flaot"), {}, "'flaot'; did you mean 'float'"),
    "atomic wrong separator": (
        "a.inter",
        ATOMIC.replace("\t", ","),
        {},
        "a.inter, line 1: one column, 'user_id:token,.*; is field_separator ','",
    ),
    "atomic items and a target by other names": (
        "a.inter",
        "session:token_seq\tlabel:token\n1 2\t3\n1\t2\n",
        {"item_column": "label"},
        "no usual time column; .* must call the two label_list:token_seq and label:token",
    ),
    "atomic lists filled up": (
        "a.inter",
        "item_id_list:token_seq\titem_id:token\n1 0 0\t2\n1 2 0\t3\n",
        {},
        "if 0 only fills up the rows, leave it out",
    ),
    "atomic float item": (
        "a.inter",
        ATOMIC.replace("item_id:token", "item_id:float"),
        {},
        "item must be token",
    ),
    "atomic time": ("a.inter", ATOMIC + "1\t20\tlate\n", {}, "a.inter, line 3: timestamp:float 'late'"),
    "atomic long separator": (
        "a.inter",
        ATOMIC,
        {"field_separator": "ab"},
        "field_separator: 'ab' is not one",
    ),
    "atomic no separator": ("a.inter", ATOMIC, {"seq_separator": ""}, "seq_separator: empty"),
    "atomic times for items": (
        "a.inter",
        "user_id:token\titem_id:token_seq\ttimestamp:float_seq\n1\t1 2\t3 4\n2\t1 2\t3\n3\t1\t2 3\n",
        {},
        "a.inter, line 3: 1 times for 2 items",
    ),
    "atomic times for one item": (
        "a.inter",
        ATOMIC.replace("float", "float_seq"),
        {},
        "'timestamp' is float_seq, but 'item_id' is one token",
    ),
}


@pytest.mark.parametrize(("name", "text", "options", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_one_clear_line(write, name, text, options, message):
    path = write(name, text)
    with pytest.raises(InputError, match=message) as caught:
        read_events(path, DataConfig(**options))
    assert "\n" not in str(caught.value)


def test_an_empty_id_in_a_later_block_is_found(write, monkeypatch):
    monkeypatch.setattr("narm.data.readers.text.BLOCK_BYTES", 64)
    path = write("a.csv", CSV + "2,10,3\n" * 50 + "2,,3\n")
    with pytest.raises(InputError, match=r"a.csv, line 54: item_id is empty"):
        read_events(path, DataConfig())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", gzip.compress(CSV.encode()), "a.csv: packed by gzip; call it .gz"),
        ("a.csv.gz", gzip.compress(gzip.compress(CSV.encode())), "a.csv.gz: packed by gzip; call it .gz once more"),
        ("a.inter", b"PAR1....PAR1", "a.inter: a Parquet file, not text; call it .parquet"),
        ("a.csv", b"PK\x03\x04....", "a.csv: a zip archive or an Excel file"),
        ("a.tsv", CSV.encode("utf-16"), "a.tsv: UTF-16, not UTF-8 text"),
    ],
    ids=["gzip", "gzip twice", "Parquet", "zip", "UTF-16"],
)
def test_a_file_with_the_wrong_ending_is_called_what_it_is(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_events(tmp_path / name, DataConfig())
    assert str(caught.value).startswith(str(tmp_path / message))


def test_bytes_that_are_no_text_are_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(CSV.encode() + b"2,\xff,3\n")
    with pytest.raises(InputError, match=r"a.csv, line 4: item_id is not UTF-8 text"):
        read_events(path, DataConfig())


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("item_id", pa.array([1, None]), "row 2: no item id"),
        ("session_id", pa.array(["", "a"]), "row 1: no session id"),
        ("time", pa.array([1.0, float("nan")]), "row 2: no finite time"),
        ("time", pa.array(["noon", "night"]), "row 1: time 'noon' is not a finite number .*; no row is right"),
        ("time", pa.array(["1", "night"]), "row 2: time 'night' is not .*; 1 wrong in all, which .* leave out of 2"),
        ("time", pa.array(["1", "2019-10-01"]), "row 2: time '2019-10-01' is a date without a zone, unlike"),
        ("time", pa.array([1, 2], pa.duration("s")), r"column 'time' is duration\[s\]; times must be numbers or time"),
        ("time", pa.array([[1], [2]]), "column 'time' is list.*; a row is an event, so unfold the lists"),
        ("item_id", pa.array([1.5, 2.0]), "column 'item_id' has ids that are not whole numbers"),
        (
            "item_id",
            pa.array([2.0**60, 2.0]),
            "double, which loses the last digits of ids as large as 1152921504606846976",
        ),
        ("item_id", pa.array([2.0**25, 2.0], pa.float32()), "float, which loses the last digits of ids as large"),
        ("item_id", pa.array([True, False]), "column 'item_id' is bool; ids must be integers or text"),
        ("item_id", pa.array([None, None]), "column 'item_id' is null; ids must be integers or text"),
        ("item_id", pa.array([[1], [2]]), "column 'item_id' is list.* unfold the lists: pandas has DataFrame.explode"),
        ("item_id", pa.array([{"id": 1}, {"id": 2}]), "column 'item_id' is struct.* write its field as a column"),
        ("time", pa.array([2**63, 1], pa.uint64()), "out of range: Integer value 9223372036854775808"),
        ("time", pa.array([10**12, 1], pa.timestamp("s")), "out of range: Casting from timestamp"),
        ("item_id", pa.array([b"a", b"\xff"]).view(pa.string()), "out of range: Invalid UTF8"),
    ],
)
def test_a_bad_parquet_column_is_one_clear_line(tmp_path, column, values, message):
    path = tmp_path / "a.parquet"
    good = {"session_id": pa.array([1, 1]), "item_id": pa.array([1, 2]), "time": pa.array([1, 2])}
    pq.write_table(pa.table({**good, column: values}), path)
    with pytest.raises(InputError, match=message) as caught:
        read_events(path, DataConfig())
    assert "\n" not in str(caught.value)


def test_a_parquet_column_whose_name_is_no_text_is_one_clear_line(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"session_id": [1], "item_id": [1], "time": [1]}), path)
    path.write_bytes(path.read_bytes().replace(b"item_id", b"item\xffid"))
    with pytest.raises(InputError, match=r"a.parquet: a column's name is not UTF-8$"):
        read_events(path, DataConfig())


def log_of(lengths: list[int], *, gap: int = 100) -> str:
    """A CSV of sessions of those lengths, one after the other."""
    lines = [f"{s},{i},{s * gap + i}\n" for s, n in enumerate(lengths) for i in range(n)]
    return "session_id,item_id,time\n" + "".join(lines)


BAD_LOGS = {
    "one-event sessions": (log_of([1, 1, 1]), {}, "log: .*min_session_length 2.* there are 3, of 1 to 1 events"),
    "one-event sessions, and no other limit": (log_of([1, 1, 1]), {}, "after min_session_length 2; there are 3"),
    "too short after a filter, which is named": (
        log_of([3, 3, 2]),
        {"item_inter_num_interval": "[3,inf)", "min_session_length": 3},
        r"there are 3, of 2 to 2 events; dropped 2 events: item_inter_num_interval \[3,inf\)$",
    ),
    "all too long": (
        log_of([5, 5, 5]),
        {"max_session_length": 4},
        "max_session_length 4; there are 3, of 5 to 5",
    ),
    "nothing in the core": (
        log_of([3, 3]),
        {"item_inter_num_interval": "[9,inf)"},
        r"no events left of 6 after item_inter_num_interval \[9,inf\)$",
    ),
    "no interval": (
        log_of([3, 3]),
        {"user_inter_num_interval": "5"},
        "user_inter_num_interval: '5' is not an inter",
    ),
    "one session": (log_of([4]), {}, "test sessions cannot be split off: there is only 1 session"),
    "all overlap": (log_of([30, 30, 30], gap=1), {}, "would be empty: .* begin before the others end"),
    "short for leave-one-out": (
        log_of([3, 3]),
        {"split": "leave_one_out"},
        "4 events or more; the longest has 3",
    ),
    "validation alone": (log_of([3, 3]), {"valid_file": "v.csv"}, "valid_file: needs test_file too"),
    "two ways to test": (
        log_of([3, 3]),
        {"split": "leave_one_out", "test_file": "t.csv"},
        "leave out test_file",
    ),
    "no test file": (log_of([3, 3, 3]), {"test_file": "missing.csv"}, "missing.csv: no such file"),
}


@pytest.mark.parametrize(("text", "options", "message"), BAD_LOGS.values(), ids=BAD_LOGS)
def test_a_log_that_cannot_be_split_is_one_clear_line(write, text, options, message):
    path = write("log.csv", text)
    with pytest.raises(InputError, match=message) as caught:
        load_splits(DataConfig(dataset=str(path), **options))
    assert "\n" not in str(caught.value)


def test_a_test_file_of_other_items_is_refused(write):
    train = write("train.csv", log_of([3, 3, 3]))
    test = write("test.csv", "session_id,item_id,time\n1,x,1\n1,y,2\n")
    with pytest.raises(InputError, match=r"no test session of 1 has two events of .* of 2 test events 0 are of such"):
        load_splits(DataConfig(dataset=str(train), test_file=str(test)))


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ("ml100k", "dataset: 'ml100k' is no file and no named dataset; did you mean 'ml-100k'"),
        ("qqq", "known: ml-100k, synthetic"),
        ("missing.csv", "missing.csv: no such file"),
        ("folder/", "folder: no such file"),
    ],
)
def test_an_unknown_dataset_names_the_known_ones(tmp_path, monkeypatch, dataset, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        load_splits(DataConfig(dataset=dataset))


def test_an_empty_id_that_no_row_has_is_no_fault(tmp_path):
    """A dictionary keeps the ids of rows that a filter has taken away."""
    sessions = pa.DictionaryArray.from_arrays(pa.array([1, 1, 1], pa.int32()), pa.array(["", "a"]))
    table = pa.table({"session_id": sessions, "item_id": [1, 2, 3], "timestamp": [1, 2, 3]})
    path = tmp_path / "log.parquet"
    pq.write_table(table, path)
    assert len(read_events(path, DataConfig())) == 3


def test_a_stray_quote_loses_no_line_without_a_word(tmp_path):
    path = tmp_path / "clicks.csv"
    good = [f"{n // 4},{n % 5},{n}" for n in range(40)]
    path.write_text("\n".join(["session_id,item_id,time", *good, '7,"a,1', *good, '8,b",2', *good]) + "\n")
    with pytest.raises(
        InputError, match=r"line 42: a quote in it is not closed; 1 wrong in all.* would leave out of 122"
    ):
        read_events(path, DataConfig())
    events = read_events(path, DataConfig(bad_lines="skip"))
    assert (len(events), events.n_wrong) == (121, 1)
    assert 'b"' in events.item_ids.to_pylist()
