"""Updates wait on disk until the server has them: in order, none lost, and the search is never held up."""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from experiments.tracking.outbox import Drainer, Outbox, Update
from narm.errors import InputError

HEADER = {"study": "abc"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.jsonl"


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    outbox = Outbox(path, HEADER, receiver="server")
    yield outbox
    outbox.close()


class Server:
    """Keeps what it is sent, while it is up."""

    def __init__(self, *, up: bool = True) -> None:
        self.up = up
        self.received: list[Update] = []
        self.calls = 0

    def send(self, updates: list[Update]) -> None:
        self.calls += 1
        if not self.up:
            raise ConnectionError("http://me:pass@host refused the connection\nand more")
        self.received += updates


@pytest.fixture
def drain(outbox: Outbox) -> Iterator[Callable[..., Drainer]]:
    drainers: list[Drainer] = []

    def start(server: Server, pause: float = 0.01) -> Drainer:
        drainers.append(Drainer(outbox, server.send, name="server", pause=pause, longest_pause=0.02))
        drainers[-1].start()
        return drainers[-1]

    yield start
    for drainer in drainers:
        drainer.stop()


def updates(n: int) -> list[Update]:
    return [Update(run=str(i), time=1000 + i, step=i, metrics={"recall_at_10": i / 7}) for i in range(n)]


def append_all(outbox: Outbox, items: list[Update]) -> list[Update]:
    for update in items:
        outbox.append(update)
    return items


def test_an_update_survives_its_line() -> None:
    update = Update(
        run="7", time=5, step=3, status="KILLED", params={"a": "1"}, tags={"ü": "zwei\nZeilen"},
        metrics={"mrr_at_10": 0.1, "loss": float("inf")}, texts={"x.txt": "é"}, files={"m.pt": "/m.pt"},
        links={"trial_run_id": "3"}, dataset={"name": "clicks"},
    )  # fmt: skip
    assert update.to_line().count(b"\n") == 1
    assert Update.from_line(update.to_line()) == update


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
    standing = outbox.standing()
    assert [run for run, of_run in standing.items() if of_run.status == "RUNNING"] == ["1", "2"]
    assert [of_run.step for of_run in standing.values()][:2] == [0, 3]


def test_another_receiver_is_sent_everything(outbox: Outbox, path: Path) -> None:
    written = append_all(outbox, updates(3))
    outbox.mark_sent(outbox.size)
    outbox.close()
    other = Outbox(path, HEADER, receiver="another server")
    assert other.read(limit=100)[0] == written
    other.close()


def test_everything_arrives_once_and_in_order(outbox: Outbox, path: Path, drain: Callable[..., Drainer]) -> None:
    server = Server()
    drainer = drain(server)
    written = append_all(outbox, updates(Drainer.updates_a_batch + 50))
    assert drainer.flush(5)
    assert server.received == written
    drainer.stop()
    outbox.close()
    again = Outbox(path, HEADER, receiver="server")
    assert not again.pending
    again.close()


def test_updates_of_a_pause_go_out_together(outbox: Outbox, drain: Callable[..., Drainer]) -> None:
    server = Server()
    drainer = drain(server, pause=30)
    append_all(outbox, updates(100))
    assert drainer.flush(5)
    assert server.calls == 1


def test_a_server_that_comes_up_late_gets_everything(
    outbox: Outbox, drain: Callable[..., Drainer], caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(up=False)
    drainer = drain(server)
    written = append_all(outbox, updates(20))
    assert not drainer.flush(0.3)
    assert server.calls > 2
    server.up = True
    assert drainer.flush(5)
    assert server.received == written

    [message] = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert message.startswith("server does not take results (http://***@host refused the connection);")
    assert str(outbox.path) in message


def test_a_flush_does_not_wait_for_a_server_that_is_away(outbox: Outbox, drain: Callable[..., Drainer]) -> None:
    server = Server(up=False)
    drainer = drain(server)
    append_all(outbox, updates(1))
    start = time.monotonic()
    assert not drainer.flush(60)
    assert time.monotonic() - start < 10
    assert server.calls >= Drainer.attempts_of_a_flush


def test_a_rewound_outbox_is_sent_from_the_start(outbox: Outbox) -> None:
    written = append_all(outbox, updates(3))
    outbox.mark_sent(outbox.size)
    outbox.rewind()
    assert outbox.read(limit=100)[0] == written


def test_attempts_become_rarer_while_the_server_is_away(outbox: Outbox) -> None:
    server = Server(up=False)
    drainer = Drainer(outbox, server.send, name="server", pause=0.01, longest_pause=60)
    outbox.append(Update(run="0", time=1))
    drainer.start()
    time.sleep(0.6)
    drainer.stop()
    assert 3 <= server.calls <= 7  # at 0.01, 0.03, 0.07, 0.15, 0.31, 0.63 s


def test_appending_does_not_wait_for_a_slow_server(
    outbox: Outbox, drain: Callable[..., Drainer], caplog: pytest.LogCaptureFixture
) -> None:
    def slow(_: list[Update]) -> None:
        time.sleep(1.5)

    server = Server()
    server.send = slow  # type: ignore[method-assign]
    drainer = drain(server)
    drainer.patience = 0.2
    append_all(outbox, updates(1))
    time.sleep(0.1)
    start = time.monotonic()
    append_all(outbox, updates(100))
    assert not drainer.flush(0.1)
    drainer.stop()
    outbox.close()
    assert time.monotonic() - start < 1.4
    drainer._thread.join(5)  # the call that hung comes back to a closed outbox
    assert not drainer._thread.is_alive()
    assert caplog.text == ""


def test_what_was_not_sent_is_sent_by_the_next_process(outbox: Outbox, path: Path) -> None:
    down = Drainer(outbox, Server(up=False).send, name="server", pause=0.01)
    down.start()
    written = append_all(outbox, updates(3))
    down.flush(0.1)
    down.stop()
    outbox.close()

    again = Outbox(path, HEADER, receiver="server")
    server = Server()
    drainer = Drainer(again, server.send, name="server", pause=0.01)
    drainer.start()
    assert drainer.flush(5)
    drainer.stop()
    assert server.received == written
    again.close()


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
