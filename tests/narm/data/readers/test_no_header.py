"""Files without a header: their first line is never lost."""

from __future__ import annotations

import pytest

from narm.config import DataConfig
from narm.data.events import read_events
from narm.errors import InputError

CHECKINS = "".join(f"{n // 3}\t2020-09-13T12:26:{n:02}Z\t30.2\t-97.7\t{n % 5}\n" for n in range(30))
RATINGS = "".join(f"{n // 3}::{n % 5}::5::{1600000000 + n}\n" for n in range(30))


@pytest.mark.parametrize(("name", "text"), [("a.txt", CHECKINS), ("ratings.dat", RATINGS), ("u.csv", "1 2 3\n4 5 6\n")])
def test_line_1_looks_like_data(write, name, text):
    with pytest.raises(
        InputError, match=rf"{name}, line 1: looks like data \('.*'\), but must name the columns; .*--col"
    ):
        read_events(write(name, text), DataConfig())


def test_a_value_is_no_name(write):
    config = DataConfig(session_column="0", item_column="9", time_column="2020-09-13T12:26:40Z")
    path = write("a.txt", CHECKINS.replace("12:26:00Z\t30.2\t-97.7\t0", "12:26:40Z\t30.2\t-97.7\t9", 1))
    with pytest.raises(InputError, match="line 1: looks like data"):
        read_events(path, config)


@pytest.mark.parametrize(
    ("name", "text", "columns"),
    [
        ("a.txt", CHECKINS, "user_id,timestamp,_,_,item_id"),
        ("a.tsv", CHECKINS, "user_id,timestamp,latitude,longitude,item_id"),
        ("ratings.dat", RATINGS, "user_id,item_id,rating,timestamp"),
        ("ratings.csv", RATINGS.replace("::", ","), "user_id,item_id,rating,timestamp"),
        ("u.data", RATINGS.replace("::", "\t"), "user_id,item_id,rating,timestamp"),
        ("space.txt", RATINGS.replace("::", " "), "user_id,item_id,_,timestamp"),
    ],
)
def test_an_option_names_the_columns(write, name, text, columns):
    events = read_events(write(name, text), DataConfig(columns=columns.split(",")))
    assert [events.session_ids[code].as_py() for code in events.sessions] == [n // 3 for n in range(30)]
    assert [events.item_ids[code].as_py() for code in events.items] == [n % 5 for n in range(30)]


def test_a_wrong_row_between_two_colons_is_counted_in_columns_of_the_file(write):
    path = write("ratings.dat", RATINGS + "1::2::3\n")
    with pytest.raises(InputError, match="line 31: 3 columns where there should be 4; 1 wrong in all"):
        read_events(path, DataConfig(columns=("user_id", "item_id", "rating", "timestamp")))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "a.csv",
            "user_id,item_id,rating,timestamp\n1,2,3,4\n",
            "line 1: names the column 'item_id' itself: leave `co",
        ),
        ("a.csv", "1,2,3\n", "line 1: not the 4 columns of `columns`, separated by tab, comma, ;, "),
        ("a.inter", "user_id:token\n", "names its columns itself: leave the option out"),
        ("a.parquet", "", "names its columns itself: leave the option out"),
    ],
)
def test_an_option_that_does_not_fit_is_refused(write, name, text, message):
    with pytest.raises(InputError, match=message):
        read_events(write(name, text), DataConfig(columns=("user_id", "item_id", "rating", "timestamp")))


def test_columns_without_a_use_may_have_numbers_for_names(write):
    path = write("a.csv", "session_id,item_id,time,0,1\n1,2,3,0.1,0.2\n")
    assert len(read_events(path, DataConfig())) == 1


def test_the_clicks_of_yoochoose_have_no_header_and_need_none(write):
    events = read_events(write("clicks.dat", "1,2014-04-07T10:51:09.277Z,214536502,0\n"), DataConfig())
    assert len(events) == 1
    assert events.notes == ("clicks.dat: no header; read as yoochoose-clicks.dat: session, time, item, category",)
