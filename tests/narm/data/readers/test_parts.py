"""Logs in several files of a folder."""

from __future__ import annotations

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from narm.config import DataConfig
from narm.data.datasets import load_splits, source_files
from narm.data.events import Events, read_events
from narm.data.prepared import FileDigest
from narm.errors import InputError

ROWS = [(n // 3, n % 7, n) for n in range(60)]
HEADER = "session_id,item_id,time\n"


def text(rows: list[tuple[int, int, int]]) -> str:
    return HEADER + "".join(f"{session},{item},{time}\n" for session, item, time in rows)


def rows(events: Events) -> list[tuple[object, object, object]]:
    sessions = events.session_ids.take(pa.array(events.sessions)).to_pylist()
    items = events.item_ids.take(pa.array(events.items)).to_pylist()
    return list(zip(sessions, items, events.times.tolist(), strict=True))


@pytest.fixture
def parts(tmp_path):
    """A folder as Spark writes it: parts by day, and files that are none."""
    folder = tmp_path / "events"
    for n in range(3):
        day = folder / f"date=2019-10-0{n + 1}"
        day.mkdir(parents=True)
        some = list(zip(*ROWS[20 * n : 20 * n + 20], strict=True))
        table = pa.table(dict(zip(("session_id", "item_id", "time"), some, strict=True)))
        pq.write_table(table, day / "part-00000.snappy.parquet")
        (day / ".part-00000.snappy.parquet.crc").write_bytes(b"crc")
    (folder / "_SUCCESS").touch()
    return folder


def test_parts_of_parquet_are_one_log(parts):
    events = read_events(parts, DataConfig())
    assert rows(events) == ROWS
    assert events.notes[-1] == "events: 3 files, *.parquet, read as one log"
    assert sum("columns taken" in note for note in events.notes) == 1
    assert load_splits(DataConfig(dataset=str(parts))).name == "events"


def test_parts_of_text_each_with_a_header(write, tmp_path):
    write("log/part-1.csv", text(ROWS[:30]))
    (tmp_path / "log/part-2.csv.gz").write_bytes(gzip.compress(text(ROWS[30:]).encode()))
    assert rows(read_events(tmp_path / "log", DataConfig())) == ROWS


def test_ids_and_times_of_parts_are_alike(write, tmp_path):
    write("log/1.csv", HEADER + "1,26,1\n1,x,2\n")
    write("log/2.csv", HEADER + "1,26.0,3.5\n1,27.0,4\n")
    pq.write_table(pa.table({"session_id": [1.0], "item_id": [26], "time": [5]}), tmp_path / "3.parquet")
    assert rows(read_events(tmp_path / "log", DataConfig())) == [
        (1, "26", 1.0),
        (1, "x", 2.0),
        (1, "26.0", 3.5),
        (1, "27.0", 4.0),
    ]


def test_wrong_rows_of_all_parts_are_counted(write, tmp_path):
    write("log/1.csv", text(ROWS[:30]) + "1,2\n")
    write("log/2.csv", text(ROWS[30:]) + "1,2\n3\n")
    events = read_events(tmp_path / "log", DataConfig(bad_lines="skip"))
    assert (len(events), events.n_wrong) == (60, 3)
    with pytest.raises(InputError, match=r"1.csv, line 32: 2 columns where the header has 3"):
        read_events(tmp_path / "log", DataConfig())


def test_the_one_atomic_file_of_a_renamed_folder(write, tmp_path):
    write("copy of shop/shop.inter", "user_id:token\titem_id:token\ttimestamp:float\n1\t2\t3\n")
    write("copy of shop/shop.item", "item_id:token\n1\n")
    assert rows(read_events(tmp_path / "copy of shop", DataConfig())) == [(1, 2, 3)]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"a.csv": text(ROWS), "b.csv": "user_id,item_id,time\n1,2,3\n"},
            "b.csv: its columns or times are not those of a",
        ),
        ({"a.csv": text(ROWS), "b.csv": HEADER + "1,2,2019-10-01\n"}, "b.csv: its columns or times are not those of a"),
        ({"a.csv": text(ROWS), "b.tsv": text(ROWS)}, "log: files of several formats, a.csv and b.tsv among them"),
        ({"a.txt.zip": ""}, "log.inter: no such file, and no parts of a log in the folder"),
        ({"runs/a.csv": text(ROWS)}, "log.inter: no such file, and no parts of a log in the folder"),
        ({}, "log.inter: no such file, and no parts of a log in the folder"),
        ({"x.train.inter": "", "x.test.inter": ""}, "several atomic files; .* benchmark_filename: test,train"),
    ],
)
def test_a_folder_that_is_no_log(write, tmp_path, files, message):
    (tmp_path / "log").mkdir()
    for name, content in files.items():
        write(f"log/{name}", content)
    with pytest.raises(InputError, match=message):
        read_events(tmp_path / "log", DataConfig())


def test_the_digest_of_parts_is_that_of_their_content(parts):
    files = source_files(DataConfig(dataset=str(parts)))["dataset"]
    whole = parts.parent / "whole"
    whole.write_bytes(b"".join(file.read_bytes() for file in files))
    assert FileDigest.of(*files) == FileDigest.of(whole)
