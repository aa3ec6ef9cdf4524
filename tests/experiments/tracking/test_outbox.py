"""Updates wait on disk: in order, none lost, none half written."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.updates import HEADER, append_all, updates

from experiments.tracking.outbox import Outbox
from experiments.tracking.update import Update
from narm.errors import InputError


def test_updates_are_read_in_order_from_where_sending_stopped(outbox: Outbox, path: Path) -> None:
    written = append_all(outbox, updates(5))
    first, position = outbox.read(limit=2)
    outbox.mark_sent(position)
    outbox.close()

    again = Outbox(path, {"study": "another"}, receiver="server")
    rest, position = again.read(limit=100)
    assert first + rest == written
    assert again.header == HEADER
    again.mark_sent(position)
    assert not again.pending
    again.close()


def test_a_torn_last_line_is_dropped_and_the_next_update_is_whole(outbox: Outbox, path: Path) -> None:
    written = append_all(outbox, updates(2))
    outbox.close()
    path.write_bytes(path.read_bytes() + b'{"run": "2", "ti')

    again = Outbox(path, HEADER, receiver="server")
    written += append_all(again, [Update(run="3", time=9)])
    assert again.read(limit=100)[0] == written
    again.close()


def test_a_line_that_is_still_being_written_is_not_read(outbox: Outbox, path: Path) -> None:
    written = append_all(outbox, updates(1))
    with path.open("ab") as file:
        file.write(b'{"run": ')
    read, position = outbox.read(limit=100)
    assert read == written
    assert position == path.read_bytes().rfind(b"\n") + 1


def test_a_damaged_line_is_skipped_and_reported(outbox: Outbox, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = append_all(outbox, updates(1))
    with path.open("ab") as file:
        file.write(b"\x00\x00\n[1]\n{}\n")
    last = append_all(outbox, [Update(run="9", time=9)])
    assert outbox.read(limit=100)[0] == first + last
    assert caplog.text.count("damaged line") == 3


@pytest.mark.parametrize("note", ["", "x", "-1", "3", "40", "999999"])
def test_a_useless_note_of_what_was_sent_means_sending_all_again(outbox: Outbox, path: Path, note: str) -> None:
    written = append_all(outbox, updates(2))
    outbox.close()
    path.with_name("outbox.jsonl.sent").write_text(note)
    again = Outbox(path, HEADER, receiver="server")
    assert again.read(limit=100)[0] == written
    again.close()


def test_an_outbox_belongs_to_one_process_at_a_time(outbox: Outbox, path: Path) -> None:
    with pytest.raises(InputError, match="in use by another process"):
        Outbox(path, HEADER, receiver="server")


@pytest.mark.parametrize("content", ["", "not json\n", "[1, 2]\n"])
def test_another_kind_of_file_is_refused(path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(InputError, match=r"outbox\.jsonl: line 1: not an outbox"):
        Outbox(path, HEADER, receiver="server")
    assert path.read_text() == content


def test_it_is_known_where_every_run_stands(outbox: Outbox) -> None:
    for run, status in [
        ("0", "RUNNING"),
        ("1", "RUNNING"),
        ("0", "FINISHED"),
        ("2", "KILLED"),
        ("2", "RUNNING"),
    ]:
        outbox.append(Update(run=run, time=1, status=status))  # type: ignore[arg-type]
    outbox.append(Update(run="1", time=2, step=3, metrics={"loss": 1.0}))
    runs = outbox.runs()
    assert [run for run, of_run in runs.items() if of_run.status == "RUNNING"] == ["1", "2"]
    assert [of_run.step for of_run in runs.values()][:2] == [0, 3]


def test_another_receiver_is_sent_everything(outbox: Outbox, path: Path) -> None:
    written = append_all(outbox, updates(3))
    outbox.mark_sent(outbox.size)
    outbox.close()
    other = Outbox(path, HEADER, receiver="another server")
    assert other.read(limit=100)[0] == written
    other.close()


def test_a_rewound_outbox_is_sent_from_the_start(outbox: Outbox) -> None:
    written = append_all(outbox, updates(3))
    outbox.mark_sent(outbox.size)
    outbox.rewind()
    assert outbox.read(limit=100)[0] == written


def test_a_full_disk_leaves_no_half_line(outbox: Outbox, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = append_all(outbox, updates(1))
    file = outbox._file

    class Full:
        """Takes half of what it is given."""

        def write(self, data: bytes) -> int:
            return file.write(data[: len(data) // 2])

        def __getattr__(self, name: str) -> object:
            return getattr(file, name)

    monkeypatch.setattr(outbox, "_file", Full())
    with pytest.raises(OSError, match="disk full"):
        outbox.append(Update(run="1", time=1))
    monkeypatch.setattr(outbox, "_file", file)
    written += append_all(outbox, [Update(run="2", time=2)])
    assert outbox.read(limit=100)[0] == written
    assert path.read_bytes().endswith(b"\n")
