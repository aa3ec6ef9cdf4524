"""Times as logs have them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from narm.config import DataConfig
from narm.data.events import read_events
from narm.data.readers.times import SPELLINGS, iso
from narm.errors import InputError

NOON = 1_569_931_200 * 10**9  # 2019-10-01 12:00:00 UTC
SAME = [
    "2019-10-01 12:00:00 UTC",
    "2019-10-01 12:00:00 GMT",
    "2019-10-01 12:00:00.000 UTC",
    "2019-10-01T12:00:00Z",
    "2019-10-01T12:00:00.000000Z",
    "2019-10-01 12:00:00+00:00",
    "2019-10-01 14:00:00+0200",
    "2019-10-01 14:00:00 +0200",
    "2019-10-01 13:00:00+01",
    "2019-10-01 12:00:00 +0000 UTC",
    "2019-10-01 12:00:00",
    "2019-10-01 12:00",
    "2019-10-01 12:00:00,000",
    "2019/10/01 12:00:00",
]
"""Spellings of one time, in each of which the last two digits of the seconds or less are left to vary."""


@pytest.mark.parametrize("text", SAME)
def test_a_column_in_any_spelling(write, tmp_path, text):
    later = text.replace("2019", "2020")
    lines = "".join(f'1,{n},"{time}"\n' for n, time in enumerate((text, later, text)))
    table = {"session_id": [1, 1, 1], "item_id": [0, 1, 2], "time": [text, later, text]}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    for path in (write("a.csv", "session_id,item_id,time\n" + lines), tmp_path / "a.parquet"):
        events = read_events(path, DataConfig())
        assert events.times.tolist() == [NOON, NOON + 366 * 86_400 * 10**9, NOON]
        assert (events.ticks_per_second, events.of_dates) == (10**9, True)


def test_spellings_of_one_kind_may_be_mixed(write):
    zoned = [text for text in SAME if "," not in text and any(zone in text for zone in ("UTC", "GMT", "Z", "+"))]
    path = write("a.csv", "session_id,item_id,time\n" + "".join(f"1,1,{text}\n" for text in zoned))
    assert set(read_events(path, DataConfig()).times.tolist()) == {NOON}


def test_a_spelling_is_the_same_for_one_time_and_for_a_column():
    for spelling in SPELLINGS:
        respelled = spelling.respell_all(pa.array(SAME)).to_pylist()
        assert respelled == [spelling.respell(text) for text in SAME]


@pytest.mark.parametrize("text", ["01/02/2019 10:00", "Tue Apr 03 18:00:06 +0000 2012", "1-Oct-2019", "2019-13-01"])
def test_what_could_be_two_dates_is_refused_with_what_is_right(write, text):
    path = write("a.csv", f"session_id,item_id,time\n1,1,{text}\n1,1,{text}\n")
    with pytest.raises(
        InputError, match=r"line 2: time .* ISO 8601 time, such as 2019-10-01 07:30:00; 2 wrong in all$"
    ):
        read_events(path, DataConfig())


def test_milliseconds_as_text_are_numbers(write, tmp_path):
    times = ["1569931200000", "1569931200001"]
    pq.write_table(pa.table({"session_id": [1, 1], "item_id": [1, 2], "time": times}), tmp_path / "a.parquet")
    events = read_events(tmp_path / "a.parquet", DataConfig(time_unit="ms"))
    assert (events.times.tolist(), events.ticks_per_second) == ([1569931200000, 1569931200001], 1000)


def test_iso_stays_as_it_is():
    for text in ("2019-10-01T12:00:00.123+02:00", "2019-10-01", "1569931200", "UTC", ""):
        assert iso(text) == text
