"""Whatever a file holds, its reader returns its events or says in one line why not; and no event gets lost.

`HYPOTHESIS_PROFILE=fuzz pytest tests/narm/data/readers/test_fuzz.py` looks much longer.
"""

from __future__ import annotations

import csv
import gzip
import io
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from narm.config import DataConfig
from narm.data.events import Events, read_events
from narm.errors import InputError

CSV = b"session_id,item_id,time\n" + b"".join(b"%d,%d,%d\n" % (n // 4, n % 5, n) for n in range(40))
ATOMIC = CSV.replace(b",", b"\t").replace(b"id\t", b"id:token\t").replace(b"time\n", b"timestamp:float\n")
LISTS = b"session_id:token\titem_id_list:token_seq\titem_id:token\n1\t1 2 3\t4\n1\t1 2\t3\n1\t1\t2\n2\t5\t5\n"
CLICKS = b"".join(b"%d,2014-04-0%dT10:51:09.277Z,%d,0\n" % (n // 3, 1 + n % 9, n % 5) for n in range(30))
VIEWS = b"session_id;user_id;item_id;timeframe;eventdate\n" + b"".join(
    b"%d;NA;%d;%d;2016-05-0%d\n" % (n // 3, n % 5, 1000 - n, 1 + n // 6) for n in range(30)
)
TABLE = pa.table({"session_id": [1, 1, 2, 2], "item_id": ["a", "b", "b", "a"], "time": [1.0, 2.0, 3.0, 4.0]})


def parquet() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(TABLE, buffer)
    return buffer.getvalue()


VALID = {
    "a.csv": CSV,
    "a.tsv": CSV.replace(b",", b"\t"),
    "a.inter": ATOMIC,
    "lists.inter": LISTS,
    "clicks.dat": CLICKS,
    "views.csv": VIEWS,
    "camel.csv": VIEWS.replace(b"session_id;user_id;item_id", b"sessionId;userId;itemId"),
    "a.pkl": pickle.dumps(([[1, 2], [1], [3]], [3, 2, 1])),
    "all.txt": pickle.dumps([[1, 2, 3], [2, 1], [3, 3]], 2),
    "python2.pkl": pickle.dumps([[1, 2, 3], [2, 1], [3, 3]], 0),
    "a.parquet": parquet(),
    "a.csv.gz": gzip.compress(CSV),
    "a.csv.zst": pa.compress(CSV, "zstd", asbytes=True),
}
ONE_ROW_AN_EVENT = ("a.csv", "a.tsv", "a.inter", "clicks.dat", "views.csv", "camel.csv")

TEXT = b"""\0 \r \n " , ; -1 1e308 1e400 nan inf 0x1p3 9999-12-31 2014-04-07T10:51:09Z 1.0000000000000000001 :token"""
BYTES = (
    b"\t",
    b"\r\n",
    b"9" * 30,
    b"x" * 140_000,
    b"\xff",
    b"\x80\x04",
    b"K\x01",
    b"(lp0\n",
    b"r\xff\xff\xff\xff",
    b"PAR1",
)
ODD = st.sampled_from([*TEXT.split(b" "), *BYTES, "\ufeff".encode(), "\u202e\u0661\U0001f600".encode()])


@st.composite
def mutations(draw: st.DrawFn, valid: bytes) -> bytes:
    """A valid file with a few pieces cut out, put in, doubled or overwritten, or cut off at the end."""
    content = valid
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        end = min(start + draw(st.integers(0, 12)), len(content))
        put = draw(st.one_of(ODD, st.binary(max_size=6), st.just(content[start:end] * 2)))
        content = content[:start] + put + content[end:]
    return content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content


def read(path: Path, content: bytes, config: DataConfig) -> Events | str:
    """The events, or why the file is refused."""
    path.write_bytes(content)
    try:
        return read_events(path, config)
    except InputError as error:
        return str(error)


def is_one_line(answer: Events | str) -> bool:
    """Whether it is events, or a refusal in one line."""
    return isinstance(answer, Events) or len(answer.splitlines()) == 1


def n_rows(content: bytes, name: str) -> range:
    """How many rows below the header there may be, of which none may get lost.

    Those that Python's csv module counts, if each is one line. A quote that is not closed makes one of several, whose
    lines are then read as rows: there are as many as lines at most.
    """
    text = io.StringIO(content.decode("utf-8-sig", errors="surrogateescape"), newline="")
    first = text.readline()
    delimiter, quoting = max("\t,;|", key=first.rstrip("\r\n").count), csv.QUOTE_MINIMAL
    if name == "a.inter":
        delimiter, quoting = "\t", csv.QUOTE_NONE
    elif name == "clicks.dat" and first[:1].isdigit():
        delimiter, quoting = ",", csv.QUOTE_NONE
        text.seek(0)
    rows, n_fewest, n_most = csv.reader(text, delimiter=delimiter, quoting=quoting), 0, 0
    while True:
        read = rows.line_num
        try:
            is_row = bool(next(rows))
        except StopIteration:
            return range(n_fewest, n_most + 1)
        except csv.Error:  # a field too long for it: one wrong row, and it goes on with the next line
            is_row = True
        n_fewest += is_row
        n_most += rows.line_num - read if is_row else 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """One folder for all examples: each overwrites the file of the one before."""
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize("name", VALID)
def test_the_valid_files_are_read(tmp_path, name):
    assert isinstance(read(tmp_path / name, VALID[name], DataConfig()), Events)


@pytest.mark.parametrize("bad_lines", ["error", "skip"])
@pytest.mark.parametrize("name", VALID)
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_mutated_file_is_read_or_refused_and_no_row_is_lost(folder, name, bad_lines, data):
    content = data.draw(mutations(VALID[name]))
    events = read(folder / name, content, DataConfig(bad_lines=bad_lines))
    assert is_one_line(events)
    if isinstance(events, Events) and name in ONE_ROW_AN_EVENT:
        assert len(events) + events.n_wrong in n_rows(content, name)


@pytest.mark.parametrize("name", VALID)
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(content=st.binary(max_size=200))
def test_random_bytes_are_read_or_refused(folder, name, content):
    assert is_one_line(read(folder / name, content, DataConfig()))
