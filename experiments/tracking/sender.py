"""The thread that sends an outbox: in order, in batches, ever more slowly while the server is away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from experiments.tracking.outbox import Outbox
from experiments.tracking.root_cause import root_cause
from experiments.tracking.update import Update

logger = logging.getLogger(__name__)


class Sender:
    """A daemon thread that sends an outbox, in order, for as long as it takes.

    Args:
        outbox: what to send.
        send: takes the next updates; if it raises, it gets the same ones again later.
        name: name of the receiver, for messages.
        pause: seconds between looks at the outbox: what comes meanwhile goes out together.
        longest_pause: seconds between attempts when many have failed.
        stopping: set by `stop`, so that `send` can raise instead of beginning another call.
    """

    attempts_of_a_flush = 3
    patience = 5.0  # seconds for the call in flight: the effect of one that is cut off is unknown

    def __init__(
        self,
        outbox: Outbox,
        send: Callable[[list[Update]], None],
        *,
        name: str,
        pause: float = 1.0,
        longest_pause: float = 30.0,
        stopping: threading.Event | None = None,
    ) -> None:
        self._outbox = outbox
        self._send = send
        self._name = name
        self._pause = pause
        self._longest_pause = longest_pause
        self._wake = threading.Event()
        self._stopping = stopping or threading.Event()
        self._in_trouble = False
        self._n_failed = 0
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def flush(self, seconds: float) -> bool:
        """Wait until everything is sent; whether it was.

        Args:
            seconds: the longest wait; a receiver that fails several times is not waited for.
        """
        deadline, last_attempt = time.monotonic() + seconds, self._n_failed + self.attempts_of_a_flush
        while self._outbox.pending and time.monotonic() < deadline and self._n_failed < last_attempt:
            self._wake.set()  # do not sit out a pause
            time.sleep(min(self._pause, 0.1))
        return not self._outbox.pending

    @property
    def is_running(self) -> bool:
        """Whether the thread has not ended."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End the thread after the call in flight; a call that hangs is left behind."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout=self.patience)

    def _run(self) -> None:
        pause = self._pause
        while not self._stopping.is_set():
            self._wake.wait(pause)
            self._wake.clear()
            try:
                self._send_all()
            except Exception as error:  # whatever happened to the receiver, the search goes on
                self._report(error)
                self._n_failed += 1
                pause = min(2 * pause, self._longest_pause)
            else:
                self._in_trouble = False
                pause = self._pause

    def _send_all(self) -> None:
        while not self._stopping.is_set() and self._outbox.pending:
            updates, position = self._outbox.read()
            self._send(updates)
            self._outbox.mark_sent(position)

    def _report(self, error: Exception) -> None:
        """Report an outage once, in one line."""
        if not self._in_trouble and not self._stopping.is_set():
            logger.warning(
                "%s does not take results (%s); the search goes on, they wait in %s",
                self._name, root_cause(error), self._outbox.path,
            )  # fmt: skip
        self._in_trouble = True
