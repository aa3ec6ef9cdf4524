"""From options to splits."""

from __future__ import annotations

import pytest

from narm.config import DataConfig
from narm.data.datasets import load_splits
from narm.errors import InputError


def user_log(suffix: str, *, session: str = "user_id") -> str:
    """Ten sessions of five events of which each session sees another four, as an atomic file or a CSV."""
    rows = [(s, (s + i) % 7, 10 * s + i) for s in range(10) for i in range(5)]
    if suffix == "inter":
        header = f"{session}:token\titem_id:token\ttimestamp:float\n"
        return header + "".join("\t".join(map(str, row)) + "\n" for row in rows)
    return f"{session},item_id,timestamp\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


def test_synthetic_needs_no_file():
    splits = load_splits(DataConfig(dataset="synthetic", max_item_list_length=7))
    assert (splits.name, splits.n_items, splits.max_length, splits.notes) == ("synthetic", 101, 7, ())
    assert [len(part.sessions) for part in (splits.train, splits.valid, splits.test)] == [1620, 180, 200]


@pytest.mark.parametrize(
    ("name", "session", "leaves_one_out"),
    [
        ("log.inter", "user_id", True),
        ("log.inter", "session_id", False),
        ("log.csv", "user_id", False),
        ("log.csv", "session_id", False),
    ],
)
def test_the_usual_split_is_that_of_the_field(write, name, session, leaves_one_out):
    path = write(name, user_log(name.partition(".")[2], session=session))
    splits = load_splits(DataConfig(dataset=str(path)))
    assert splits.name == "log"
    assert (splits.valid.sessions is splits.test.sessions) == leaves_one_out


@pytest.mark.parametrize("split", ["leave_one_out", "temporal"])
def test_the_split_may_be_chosen(write, split):
    path = write("log.csv", user_log("csv"))
    splits = load_splits(DataConfig(dataset=str(path), split=split))
    assert (splits.valid.sessions is splits.test.sessions) == (split == "leave_one_out")


def test_the_same_events_have_the_same_fingerprint_in_any_format(write):
    paths = [write("log.inter", user_log("inter")), write("log.csv", user_log("csv"))]
    first, second = (load_splits(DataConfig(dataset=str(p), split="leave_one_out")).fingerprint for p in paths)
    assert first == second


def test_given_files_are_train_validation_and_test(write):
    train = write("train.csv", "session_id,item_id,time\n1,a,1\n1,b,2\n2,b,3\n2,a,4\n")
    valid = write("valid.csv", "session_id,item_id,time\n3,a,5\n3,c,6\n")
    test = write("test.csv", "session_id,item_id,time\n4,c,7\n4,a,8\n4,b,9\n")
    splits = load_splits(DataConfig(dataset=str(train), valid_file=str(valid), test_file=str(test)))
    assert [len(part) for part in (splits.train, splits.valid, splits.test)] == [2, 1, 2]
    assert splits.vocabulary.ids.tolist() == ["a", "b", "c"]
    splits = load_splits(DataConfig(dataset=str(train), test_file=str(test), valid_share=0.5))
    assert [len(part) for part in (splits.train, splits.valid, splits.test)] == [1, 1, 1]


def test_length_filters_are_told_in_the_notes(write):
    lengths = (2, 3, 4, 5, 6, 7, 3)
    lines = "".join(f"{s},{i},{100 * s + i}\n" for s, n in enumerate(lengths) for i in range(n))
    path = write("log.csv", "session_id,item_id,time\n" + lines)
    splits = load_splits(DataConfig(dataset=str(path), min_session_length=3, max_session_length=6))
    assert sorted(splits.train.sessions.lengths) == [3, 4, 5]
    assert splits.notes[-1] == "dropped 9 events: 2 sessions of log with fewer than 3 events or more than 6"


@pytest.mark.parametrize("address", ["https://example.org/clicks.csv", "s3://bucket/day=1/clicks.parquet"])
def test_an_address_is_not_taken_for_a_file(address):
    with pytest.raises(
        InputError, match=rf"^{address}: an address, where a file of this machine is wanted: download it$"
    ):
        load_splits(DataConfig(dataset=address))


def test_events_that_are_there_twice_are_told(write):
    """Twice written, and not the same item again later, or the same at the start of the next session."""
    rows = [(0, 1, 0), (0, 1, 5), (0, 2, 6), (1, 2, 6), (1, 3, 7), (2, 1, 8), (2, 2, 9)]
    text = "session_id,item_id,time\n" + "".join("{},{},{}\n".format(*row) for row in rows)
    once = load_splits(DataConfig(dataset=str(write("once.csv", text)), valid_share=0))
    assert not [note for note in once.notes if "once more" in note]
    twice = load_splits(DataConfig(dataset=str(write("twice.csv", text + text.partition("\n")[2])), valid_share=0))
    (note,) = (note for note in twice.notes if "once more" in note)
    assert note == "twice.csv: 7 of 14 events are the one before once more, with its session, item and time"


def test_given_atomic_files_are_in_exact_time_order(write):
    """RecBole's rounding of times is for its own leave-one-out alone."""
    header = "user_id:token\titem_id:token\ttimestamp:float\n"
    train = write("train.inter", header + f"1\ta\t0\n1\tc\t{2**30 + 1}\n1\tb\t{2**30}\n2\ta\t{2**31}\n2\tb\t{2**31}\n")
    test = write("test.inter", header + "3\ta\t1\n3\tb\t2\n")
    splits = load_splits(DataConfig(dataset=str(train), test_file=str(test)))
    assert [splits.vocabulary.raw(item) for item in splits.train.sessions.items] == ["a", "b", "c"]
