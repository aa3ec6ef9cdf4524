"""Whatever quirks a file has, its events are kept or told; and the same content is the same events in every format."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from narm.config import DataConfig
from narm.data.events import Events, read_events

NAMES = ("session_id", "item_id", "timestamp", "note")
NOTES = ("", "fine", "a, b", "one\ntwo", 'said "yes"\r\n\r\nno', "tab\there", "1,2\n3", "\u202e\u00e9")
WRONG = ("1,2", "1,2,3,4,5,6", "x,y,noon,z", "nan,nan,nan,nan")
SPELL_ID = (str, lambda n: f"{n}.0")
SPELL_TIME = (
    str,
    lambda n: f"2019-10-01 00:{n // 60:02}:{n % 60:02} UTC",
    lambda n: f"2019-10-01T00:{n // 60:02}:{n % 60:02}Z",
    lambda n: f"2019-10-01 00:{n // 60:02}:{n % 60:02}+0000",
    lambda n: f"2019-10-01 00:{n // 60:02}:{n % 60:02}",
)


@dataclass(frozen=True)
class Log:
    """Rows of session, item, time and note as text, and what they are."""

    events: list[tuple[int, int, int]]
    rows: list[list[str]]


@st.composite
def logs(draw: st.DrawFn) -> Log:
    number = st.integers(0, 9)
    events = draw(st.lists(st.tuples(number, number, st.integers(0, 3599)), min_size=1, max_size=15))
    spell_session, spell_item = draw(st.sampled_from(SPELL_ID)), draw(st.sampled_from(SPELL_ID))
    spell_time = draw(st.sampled_from(SPELL_TIME))
    rows = [[spell_session(s), spell_item(i), spell_time(t), draw(st.sampled_from(NOTES))] for s, i, t in events]
    return Log(events, rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("quirks")


def events_of(events: Events) -> list[tuple[object, object]]:
    sessions = events.session_ids.take(pa.array(events.sessions)).to_pylist()
    items = events.item_ids.take(pa.array(events.items)).to_pylist()
    return list(zip(sessions, items, strict=True))


def moments(events: Events) -> list[int]:
    """Seconds since the first of all, which the dates and the numbers of `SPELL_TIME` have in common."""
    ticks = events.ticks_per_second or 1
    return [int((time - events.times.min()) // ticks) for time in events.times]


def expected_moments(log: Log) -> list[int]:
    first = min(time for _, _, time in log.events)
    return [time - first for _, _, time in log.events]


def text_of(log: Log, order: list[int], delimiter: str, line_end: str, quoting: int) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerows([[row[place] for place in order] for row in ([*NAMES], *log.rows)])
    return buffer.getvalue()


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    log=logs(),
    order=st.permutations(range(4)),
    delimiter=st.sampled_from(",\t;|"),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    bom=st.booleans(),
    n_blank=st.integers(0, 2),
)
def test_any_order_of_columns_line_end_and_delimiter(folder, log, order, delimiter, line_end, bom, n_blank):
    path = folder / "a.csv"
    text = text_of(log, order, delimiter, line_end, csv.QUOTE_ALL) + n_blank * line_end
    path.write_bytes(("\ufeff" * bom + text).encode())
    events = read_events(path, DataConfig())
    assert events_of(events) == [(session, item) for session, item, _ in log.events]
    assert moments(events) == expected_moments(log)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(log=logs(), places=st.lists(st.tuples(st.integers(0, 15), st.sampled_from(WRONG)), max_size=4))
def test_events_are_kept_or_told(folder, log, places):
    rows = [text_of(Log([], [row]), [0, 1, 2, 3], ",", "\n", csv.QUOTE_MINIMAL).partition("\n")[2] for row in log.rows]
    for place, wrong in places:
        rows.insert(place, wrong + "\n")
    path = folder / "b.csv"
    path.write_text(",".join(NAMES) + "\n" + "".join(rows), newline="")
    events = read_events(path, DataConfig(bad_lines="skip"))
    assert (len(events), events.n_wrong) == (len(log.events), len(places))
    assert any("wrong rows" in note for note in events.notes) == bool(places)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(log=logs())
def test_the_same_content_is_the_same_events_in_every_format(folder, log):
    (folder / "c.csv").write_text(text_of(log, [0, 1, 2, 3], ",", "\n", csv.QUOTE_MINIMAL), newline="")
    (folder / "c.tsv").write_text(text_of(log, [0, 1, 2, 3], "\t", "\n", csv.QUOTE_ALL), newline="")
    table = pa.table(dict(zip(NAMES, zip(*log.rows, strict=True), strict=True)))
    pq.write_table(table, folder / "c.parquet")
    found = [read_events(folder / f"c.{suffix}", DataConfig()) for suffix in ("csv", "tsv", "parquet")]
    for events in found:
        assert events_of(events) == [(session, item) for session, item, _ in log.events]
        assert events.times.tolist() == found[0].times.tolist()
        assert events.ticks_per_second == found[0].ticks_per_second
