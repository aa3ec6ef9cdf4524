"""Quoted text over several lines belongs to its row, and a quote that is not closed swallows none."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from narm.config import DataConfig
from narm.data.events import Events, read_events
from narm.data.readers.layout import TextLayout
from narm.data.readers.rows import quoting
from narm.errors import InputError

HEADER = ["review", "session_id", "item_id", "title", "timestamp", "note"]
TEXTS = ["fine,\nthe second time", "ok", 'said "yes"\r\n\r\n and, "no"', "", "a\rb", "1,2,3\n4,5,6\nx"]
ROWS = [[TEXTS[n % 6], str(n // 3), f"i{n % 5}", TEXTS[n % 4], str(n), TEXTS[n % 2]] for n in range(60)]


def written(line_end: str = "\n") -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator=line_end).writerows([HEADER, *ROWS])
    return buffer.getvalue()


def same_as_rows(events: Events) -> bool:
    found = [events.item_ids[item].as_py() for item in events.items]
    return found == [row[2] for row in ROWS] and events.times.tolist() == list(range(60))


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bad_lines", ["error", "skip"])
def test_text_of_several_lines_in_columns_that_are_not_used(tmp_path, line_end, bad_lines):
    path = tmp_path / "a.csv"
    path.write_bytes(written(line_end).encode())
    assert len(pd.read_csv(path)) == len(ROWS)
    events = read_events(path, DataConfig(bad_lines=bad_lines))
    assert same_as_rows(events)
    assert events.n_wrong == 0


def test_text_of_several_lines_is_read_at_once(tmp_path, monkeypatch):
    """Row by row takes a hundred times as long."""
    (tmp_path / "a.csv").write_text(written())
    monkeypatch.setattr("narm.data.readers.text._read_row_by_row", None)
    monkeypatch.setattr("narm.data.readers.text.BLOCK_BYTES", 256)
    assert same_as_rows(read_events(tmp_path / "a.csv", DataConfig()))


def test_ids_may_go_over_lines(write):
    path = write("a.csv", 'session_id,item_id,time\n1,"red\nshoe",1\n1,"blue\nshoe",2\n1,"red\nshoe",3\n')
    assert read_events(path, DataConfig()).item_ids.to_pylist() == ["red\nshoe", "blue\nshoe"]


def test_an_error_below_names_the_line_where_its_row_begins(write):
    path = write("a.csv", 'session_id,item_id,time,text\n1,1,1,"a\nb"\n1,1,noon,"c\n\nd"\n1,1,3,e\n1,1,nan,f\n')
    with pytest.raises(InputError, match=r"line 4: time 'noon' .*; 2 wrong in all, .* leave out of 4$"):
        read_events(path, DataConfig())
    events = read_events(path, DataConfig(bad_lines="skip"))
    assert (len(events), events.n_wrong) == (2, 2)


@pytest.mark.parametrize(
    ("lines", "n_right", "n_wrong", "line"),
    [
        (['1,"a,1', "1,b,2", "1,c,3"], 2, 1, 2),
        (["1,a,1", '1,"b,2', '1,c",3'], 2, 1, 3),
        (["1,a,1", '1,b,"2'], 1, 1, 3),
        (['1,"a,1', '1,"b,2', '1,"c,3', "1,d,4"], 1, 3, 2),
        (["1,a,1", '1,"b', "c,2"], 1, 2, 3),
    ],
)
def test_a_quote_that_is_not_closed_takes_no_row_with_it(write, lines, n_right, n_wrong, line):
    path = write("a.csv", "\n".join(["session_id,item_id,time", *lines]) + "\n")
    with pytest.raises(InputError, match=rf"line {line}: a quote in it is not closed; {n_wrong} wrong in all"):
        read_events(path, DataConfig())
    events = read_events(path, DataConfig(bad_lines="skip"))
    assert (len(events), events.n_wrong) == (n_right, n_wrong)


def test_a_quote_within_a_value_is_a_character(write):
    path = write("a.csv", 'session_id,item_id,time\n1,5" nail,1\n1,b,2\n1,6" nail,3\n')
    assert read_events(path, DataConfig()).item_ids.to_pylist() == ['5" nail', "b", '6" nail']


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("h,i,t\n1,a,2\n", "on one line"),
        ('h,i,t\n1,"a",2\n', "on one line"),
        ('h,i,t\n1,"a\nb",2\n', "over several lines"),
        ('h,i,t\n1,"a,2\n1,b,3\n1,c",4\n', "doubtful"),
        ('h,i,t\n1,"a\nb,2\n', "doubtful"),
    ],
)
def test_how_a_file_is_quoted(write, text, expected):
    path = write("a.csv", text)
    layout = TextLayout(path=path, header=("h", "i", "t"), delimiter=",", quoted=True, session="h", item="i", time="t")
    assert quoting(layout) == expected


def test_a_delimiter_at_the_end_of_each_row_is_named(write):
    path = write("a.csv", "session_id,item_id,time\n1,2,3,\n1,2,4,\n")
    with pytest.raises(InputError, match=r"line 2: 4 columns .* 3; it ends in a ',', and line 1 does not: .*; 2 wrong"):
        read_events(path, DataConfig())
    path = write("b.csv", "session_id,item_id,time,\n1,2,3,\n1,2,4,\n")
    assert len(read_events(path, DataConfig())) == 2
