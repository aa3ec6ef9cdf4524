"""Ids that are whole numbers are the same whole numbers, however they are spelled."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from narm.config import DataConfig
from narm.data.cuts import alike
from narm.data.datasets import load_splits
from narm.data.events import read_events
from narm.data.readers.ids import LostDigitsError, codes_and_ids, integers_if_all
from narm.errors import InputError


@pytest.mark.parametrize(
    ("texts", "ids"),
    [
        (["26.0", "7.0"], [26, 7]),
        (["26.0", "26", "7"], [26, 26, 7]),
        (["26.00", "-3.0", "0.0"], [26, -3, 0]),
        (["1e+05", "99999"], [100_000, 99_999]),
        (["1.5e1", "2"], [15, 2]),
        (["9007199254740993.0", "1"], [2**53 + 1, 1]),
        (["26.0", "2.5"], ["26.0", "2.5"]),
        (["26.0", "x"], ["26.0", "x"]),
        (["1.5e0", "2"], ["1.5e0", "2"]),
        (["007", "7.0"], ["007", "7.0"]),
        (["-0.0", "7"], ["-0.0", "7"]),
        (["99999999999999999999.0", "7"], ["99999999999999999999.0", "7"]),
    ],
)
def test_all_ids_of_a_column_are_integers_or_none(texts, ids):
    assert integers_if_all(pa.array(texts)).to_pylist() == ids


def test_two_spellings_of_an_id_have_one_code():
    codes, ids = codes_and_ids(pa.chunked_array([pa.array(["7", "26.0", "26", "7.0"]).dictionary_encode()]))
    assert (codes.tolist(), ids.to_pylist()) == ([0, 1, 1, 0], [7, 26])


def test_floats_that_are_too_large_for_ids_are_refused(write):
    with pytest.raises(LostDigitsError):
        integers_if_all(pa.array(["1.23e+18", "5"]))
    path = write("a.csv", "session_id,item_id,time\n1,1.23e+18,5\n")
    with pytest.raises(InputError, match=r"a.csv: an id, '1.23e\+18' was a float.*: write ids as integers or text"):
        read_events(path, DataConfig())


def test_an_id_is_spelled_as_in_the_other_file():
    assert [ids.to_pylist() for ids in alike(pa.array([26, 7]), pa.array(["26.0", "x"]))] == [["26", "7"], ["26", "x"]]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_test_file_with_gaps_has_the_items_of_train(write, tmp_path, suffix):
    train = write("train.csv", "session_id,item_id,time\n" + "".join(f"{n // 3},{n % 3},{n}\n" for n in range(30)))
    test = write("test.csv", "session_id,item_id,time\n90,0.0,90\n90,1.0,91\n90,2.0,92\n")
    if suffix == "parquet":
        test = tmp_path / "test.parquet"
        table = {"session_id": [90, 90, 90, None], "item_id": [0.0, 1.0, 2.0, None], "time": [90.0, 91, 92, 93]}
        pq.write_table(pa.table(table), test)
    splits = load_splits(DataConfig(dataset=str(train), test_file=str(test), bad_lines="skip"))
    assert (len(splits.test), splits.n_items) == (2, 4)


@pytest.mark.parametrize(
    "ids",
    [
        pa.array([3.0, 1.0, 2.0]),
        pa.array([3, 1, 2], pa.uint64()),
        pa.array([3, 1, 2]).cast(pa.decimal128(22, 2)),
        pa.array(["3", "1.0", "2"], pa.string_view()),
        pa.array([b"3", b"1", b"2"]),
        pa.array([3.0, 1.0, 2.0]).dictionary_encode(),
    ],
    ids=lambda ids: str(ids.type),
)
def test_parquet_has_ids_of_many_types(tmp_path, ids):
    pq.write_table(pa.table({"session_id": [1, 1, 1], "item_id": ids, "time": [1, 2, 3]}), tmp_path / "a.parquet")
    assert read_events(tmp_path / "a.parquet", DataConfig()).item_ids.to_pylist() == [3, 1, 2]


def test_hashes_without_a_sign_are_text_as_in_a_csv_file(write, tmp_path):
    ids = [2**64 - 1, 5]
    pq.write_table(
        pa.table({"session_id": [1, 1], "item_id": pa.array(ids, pa.uint64()), "time": [1, 2]}), tmp_path / "a.parquet"
    )
    text = write("a.csv", "session_id,item_id,time\n" + "".join(f"1,{i},{n}\n" for n, i in enumerate(ids, 1)))
    found = [read_events(path, DataConfig()).item_ids.to_pylist() for path in (tmp_path / "a.parquet", text)]
    assert found == [["18446744073709551615", "5"]] * 2
