"""Which reader takes a file."""

import pickle

import pytest

from narm.data.readers.delimited import read_delimited
from narm.data.readers.pickled import read_pickle
from narm.data.readers.table import READERS, find_reader
from narm.errors import InputError


def test_each_suffix_finds_a_reader_that_lists_it_compressed_or_not(tmp_path):
    for suffix in {suffix for reader in READERS for suffix in reader.suffixes}:
        for compressed in ("", ".gz", ".zst"):
            path = tmp_path / f"clicks{suffix}{compressed}"
            path.touch()
            if not (suffix == ".txt" and compressed):
                assert suffix in find_reader(path).suffixes


def test_a_suffix_of_two_formats_is_decided_by_the_content(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("session_id\titem_id\ttimestamp\n")
    assert find_reader(path).read is read_delimited
    path.write_bytes(pickle.dumps([[1, 2]]))
    assert find_reader(path).read is read_pickle


def test_an_unknown_suffix_lists_those_that_are_known(tmp_path):
    with pytest.raises(InputError, match=r"unknown format '.xls'; known: .inter, .csv, .tsv, .txt, .dat, .parquet"):
        find_reader(tmp_path / "clicks.xls.gz")
