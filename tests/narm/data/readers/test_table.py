"""Which reader takes a file."""

import bz2
import gzip
import pickle

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from narm.config import DataConfig
from narm.data.events import read_events
from narm.data.readers.delimited import read_delimited
from narm.data.readers.parquet import read_parquet
from narm.data.readers.pickled import read_pickle
from narm.data.readers.table import READERS, find_reader
from narm.errors import InputError


def test_each_suffix_finds_a_reader_that_lists_it_compressed_or_not(tmp_path):
    for suffix in {suffix for reader in READERS for suffix in reader.suffixes}:
        for compressed in ("", ".gz", ".bz2", ".zst"):
            for name in (f"clicks{suffix}{compressed}", f"CLICKS{suffix}{compressed}".upper()):
                path = tmp_path / name
                path.touch()
                if not (suffix in (".txt", "") and compressed):
                    assert suffix in find_reader(path).suffixes


def test_a_suffix_of_two_formats_is_decided_by_the_content(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("session_id\titem_id\ttimestamp\n")
    assert find_reader(path).read is read_delimited
    path.write_bytes(pickle.dumps([[1, 2]]))
    assert find_reader(path).read is read_pickle


def test_an_unknown_suffix_lists_those_that_are_known(tmp_path):
    with pytest.raises(
        InputError, match=r"unknown format '.xls'; known: .inter, .csv, .tsv, .txt, .dat, .*; save it as CSV"
    ):
        find_reader(tmp_path / "clicks.xls.gz")


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("2019-Oct.csv.zip", "unpack it, or pack the one file in it as .gz"),
        ("clicks.csv.xz", "unpack it"),
        ("otto-train.jsonl", r"an event a row: pandas has read_json\(lines=True\), explode and to_parquet"),
        ("clicks.xlsx", "save it as CSV"),
        ("clicks.feather", "write it as CSV or Parquet"),
        ("2019.10.01", "unknown format '.01'; known: .inter, .csv"),
    ],
)
def test_what_to_do_with_other_files(tmp_path, name, instead):
    with pytest.raises(InputError, match=instead):
        find_reader(tmp_path / name)


def test_a_file_without_an_ending_is_known_by_how_it_begins(tmp_path):
    (tmp_path / "part-00000").write_text("session_id,item_id,time\n1,2,3\n")
    pq.write_table(pa.table({"session_id": [1], "item_id": [2], "time": [3]}), tmp_path / "part-00001")
    assert [find_reader(path).read for path in sorted(tmp_path.iterdir())] == [read_delimited, read_parquet]


@pytest.mark.parametrize("name", ["A.CSV", "a.Tsv.GZ", "a.csv.BZ2", "a.TXT.zst"])
def test_endings_in_any_case_and_compressed(tmp_path, name):
    text = b"session_id\titem_id\ttime\n1\t2\t3\n"
    kind = {".gz": gzip.compress, ".bz2": bz2.compress, ".zst": lambda data: pa.compress(data, "zstd", asbytes=True)}
    pack = kind.get((tmp_path / name).suffix.lower(), bytes)
    (tmp_path / name).write_bytes(pack(text))
    assert len(read_events(tmp_path / name, DataConfig())) == 1
