"""Updates arrive in order, none lost, and the search is never delayed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.updates import HEADER, append_all, updates

from experiments.tracking.outbox import BATCH, Outbox
from experiments.tracking.sender import Sender
from experiments.tracking.update import Update

pytestmark = pytest.mark.slow


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
def start(outbox: Outbox) -> Iterator[Callable[..., Sender]]:
    """Starts a thread that sends the outbox to a server, and stops it after the test."""
    senders: list[Sender] = []

    def start(server: Server, pause: float = 0.01) -> Sender:
        senders.append(Sender(outbox, server.send, name="server", pause=pause, longest_pause=0.02))
        senders[-1].start()
        return senders[-1]

    yield start
    for sender in senders:
        sender.stop()


def test_everything_arrives_once_and_in_order(outbox: Outbox, path: Path, start: Callable[..., Sender]) -> None:
    server = Server()
    sender = start(server)
    written = append_all(outbox, updates(BATCH + 50))
    assert sender.flush(5)
    assert server.received == written
    sender.stop()
    outbox.close()
    again = Outbox(path, HEADER, receiver="server")
    assert not again.pending
    again.close()


def test_updates_of_a_pause_go_out_together(outbox: Outbox, start: Callable[..., Sender]) -> None:
    server = Server()
    sender = start(server, pause=30)
    append_all(outbox, updates(100))
    assert sender.flush(5)
    assert server.calls == 1


def test_a_server_that_comes_up_late_gets_everything(
    outbox: Outbox, start: Callable[..., Sender], caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(up=False)
    sender = start(server)
    written = append_all(outbox, updates(20))
    assert not sender.flush(0.3)
    assert server.calls > 2
    server.up = True
    assert sender.flush(5)
    assert server.received == written

    [message] = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert message.startswith("server does not take results (http://***@host refused the connection);")
    assert str(outbox.path) in message


def test_a_flush_does_not_wait_for_a_server_that_is_away(outbox: Outbox, start: Callable[..., Sender]) -> None:
    server = Server(up=False)
    sender = start(server)
    append_all(outbox, updates(1))
    begun = time.monotonic()
    assert not sender.flush(60)
    assert time.monotonic() - begun < 10
    assert server.calls >= Sender.attempts_of_a_flush


def test_attempts_become_rarer_while_the_server_is_away(outbox: Outbox) -> None:
    server = Server(up=False)
    sender = Sender(outbox, server.send, name="server", pause=0.01, longest_pause=60)
    outbox.append(Update(run="0", time=1))
    sender.start()
    time.sleep(0.6)
    sender.stop()
    assert 3 <= server.calls <= 7  # at 0.01, 0.03, 0.07, 0.15, 0.31, 0.63 s


def test_appending_does_not_wait_for_a_slow_server(
    outbox: Outbox, start: Callable[..., Sender], caplog: pytest.LogCaptureFixture
) -> None:
    def slow(_: list[Update]) -> None:
        time.sleep(1.5)

    server = Server()
    server.send = slow  # type: ignore[method-assign]
    sender = start(server)
    sender.patience = 0.2
    append_all(outbox, updates(1))
    time.sleep(0.1)
    begun = time.monotonic()
    append_all(outbox, updates(100))
    assert not sender.flush(0.1)
    sender.stop()
    outbox.close()
    assert time.monotonic() - begun < 1.4
    while sender.is_running:  # until the call that hung comes back to a closed outbox
        time.sleep(0.05)
    assert caplog.text == ""


def test_what_was_not_sent_is_sent_by_the_next_process(outbox: Outbox, path: Path) -> None:
    down = Sender(outbox, Server(up=False).send, name="server", pause=0.01)
    down.start()
    written = append_all(outbox, updates(3))
    down.flush(0.1)
    down.stop()
    outbox.close()

    again = Outbox(path, HEADER, receiver="server")
    server = Server()
    sender = Sender(again, server.send, name="server", pause=0.01)
    sender.start()
    assert sender.flush(5)
    sender.stop()
    assert server.received == written
    again.close()
