"""A queue on disk between the search and the tracking server, and the thread that empties it.

The search appends updates to a file and goes on. A daemon thread sends them in order, in batches, and tries
again, ever more slowly, while the server is away. After a crash between sending an update and noting so it is
sent twice; the receiver must not mind.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from experiments.tuning.worker.addresses import mask_credentials
from narm.errors import InputError
from narm.machine.files import write_text

logger = logging.getLogger(__name__)

RunStatus = Literal["RUNNING", "SCHEDULED", "FINISHED", "KILLED", "FAILED"]
OPEN: tuple[RunStatus, ...] = ("RUNNING", "SCHEDULED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What became known of one run at one moment.

    Attributes:
        run: the run's name within its study.
        time: milliseconds since 1970.
        step: epoch that the metrics belong to.
        status: what the run is from now on; None: unchanged.
        links: tags that hold MLflow's id of another run of the study, by name: that run's name.
        dataset: what the run was given, as MLflow describes a dataset.
        texts: content of artifacts, by name.
        files: absolute paths of artifacts, by name.
        registration: a model to register, in JSON types; empty: none.
    """

    run: str
    time: int
    step: int = 0
    status: RunStatus | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    dataset: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    registration: Mapping[str, Any] = field(default_factory=dict)

    def to_line(self) -> bytes:
        """One line of JSON, without what is empty (NaN is written as Python's json does)."""
        given = {part.name: value for part in fields(self) if (value := getattr(self, part.name))}
        return json.dumps(given, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Update:
        """Read what `to_line` wrote.

        Raises:
            ValueError, TypeError: the line is damaged.
        """
        return cls(**json.loads(line))


@dataclass(slots=True)
class Standing:
    """What an outbox holds of a run: its status, and its last step."""

    status: RunStatus | None = None
    step: int = 0


class Outbox:
    """A file of updates, one JSON line each, behind a first line that says what they belong to.

    How much has been sent, and to whom, stands in a second file, `NAME.sent`. One process at a time holds an outbox.

    Args:
        path: of the file.
        header: of a new one.
        receiver: who it is sent to, without credentials; a new receiver is sent everything.
    Attributes:
        header: the first line; that of the file when there is one already.
    """

    def __init__(self, path: Path, header: Mapping[str, str], *, receiver: str) -> None:
        self.path = path
        self._receiver = receiver
        self._position_file = path.with_name(f"{path.name}.sent")
        self._lock = threading.Lock()
        if not path.exists():
            write_text(path, json.dumps(header, ensure_ascii=False) + "\n")
        self._file = path.open("a+b", buffering=0)
        self._claim()
        self._file.seek(0)
        first = self._file.readline()
        self.header = self._read_header(first)
        self._drop_torn_line()
        self._sent = self._read_position(start=len(first))

    def _claim(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise InputError(f"{self.path}: in use by another process: wait for it, or name another study") from None

    def _read_header(self, line: bytes) -> dict[str, str]:
        try:
            return dict(json.loads(line))
        except (ValueError, TypeError):
            self._file.close()
            raise InputError(f"{self.path}: line 1: not an outbox: move the file away") from None

    def _drop_torn_line(self) -> None:
        """Cut what a crash left of its last, unfinished write."""
        content = self.path.read_bytes()
        self._file.truncate(content.rfind(b"\n") + 1)

    def _read_position(self, start: int) -> int:
        """The noted position if a line starts there; else all is sent again, which does no harm."""
        try:
            noted, _, receiver = self._position_file.read_text().partition(" ")
            position = int(noted)
        except (OSError, ValueError):
            return start
        if receiver != self._receiver:
            return start
        self._file.seek(max(position - 1, 0))
        return position if start <= position and self._file.read(1) == b"\n" else start

    def rewind(self) -> None:
        """Count everything as not sent yet."""
        with self.path.open("rb") as file:
            self._sent = len(file.readline())

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return os.fstat(self._file.fileno()).st_size

    @property
    def pending(self) -> bool:
        """Whether there are updates not sent yet."""
        return self._sent < self.size

    def append(self, update: Update) -> None:
        """Add an update; it survives a crash of the process, though not of the machine.

        Raises:
            OSError: the disk is full; nothing was added.
        """
        line = update.to_line()
        with self._lock:
            end = self.size
            if self._file.write(line) != len(line):
                self._file.truncate(end)
                raise OSError(errno.ENOSPC, "disk full", str(self.path))

    def read(self, limit: int) -> tuple[list[Update], int]:
        """The next updates to send, at most `limit`, and the position behind them for `mark_sent`."""
        with self.path.open("rb") as file:
            file.seek(self._sent)
            lines = [line for line in islice(file, limit) if line.endswith(b"\n")]
        return list(self._parse(lines)), self._sent + sum(map(len, lines))

    def mark_sent(self, position: int) -> None:
        """Note that everything before `position` has arrived."""
        self._sent = position
        self._position_file.write_text(f"{position} {self._receiver}")  # need not be atomic: see _read_position

    def standing(self) -> dict[str, Standing]:
        """Where each run stands after everything that was ever appended, in the order of their start."""
        runs: dict[str, Standing] = {}
        with self.path.open("rb") as file:
            for update in self._parse(list(file)[1:]):
                run = runs.setdefault(update.run, Standing())
                run.status = update.status or run.status
                run.step = max(run.step, update.step)
        return runs

    def close(self) -> None:
        """Let another process have the outbox."""
        self._file.close()

    def _parse(self, lines: Iterable[bytes]) -> Iterator[Update]:
        for line in lines:
            try:
                yield Update.from_line(line)
            except (ValueError, TypeError):
                logger.warning("%s: skipped a damaged line: %.60r", self.path, line)


class Drainer:
    """A daemon thread that sends an outbox, in order, for as long as it takes.

    Args:
        outbox: what to send.
        send: takes the next updates; raises when they did not arrive, and then gets them again.
        name: of the receiver, for messages.
        pause: seconds between looks at the outbox: what comes meanwhile goes out together.
        longest_pause: seconds between attempts when many have failed.
        stopping: is set by `stop`, so that `send` can raise instead of beginning another call.
    """

    updates_a_batch = 200
    attempts_of_a_flush = 3
    patience = 5.0  # seconds for the call in flight: nobody knows what becomes of one that is cut off

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
        """Wait until everything is sent, whether it was; at most so long, and not for a receiver that is away."""
        deadline, last_attempt = time.monotonic() + seconds, self._n_failed + self.attempts_of_a_flush
        while self._outbox.pending and time.monotonic() < deadline and self._n_failed < last_attempt:
            self._wake.set()  # do not sit out a pause
            time.sleep(min(self._pause, 0.1))
        return not self._outbox.pending

    def stop(self) -> None:
        """End the thread after the call in flight; one that hangs is left behind."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout=self.patience)

    def _run(self) -> None:
        pause = self._pause
        while not self._stopping.is_set():
            self._wake.wait(pause)
            self._wake.clear()
            try:
                self._drain()
            except Exception as error:  # whatever happened to the receiver, the search goes on
                self._report(error)
                self._n_failed += 1
                pause = min(2 * pause, self._longest_pause)
            else:
                self._in_trouble = False
                pause = self._pause

    def _drain(self) -> None:
        while not self._stopping.is_set() and self._outbox.pending:
            updates, position = self._outbox.read(self.updates_a_batch)
            self._send(updates)
            self._outbox.mark_sent(position)

    def _report(self, error: Exception) -> None:
        """Say once, in one line, that an outage has begun."""
        if not self._in_trouble and not self._stopping.is_set():
            logger.warning(
                "%s does not take results (%s); the search goes on, they wait in %s",
                self._name, root_cause(error), self._outbox.path,
            )  # fmt: skip
        self._in_trouble = True


def root_cause(error: BaseException) -> str:
    """What started it all, in one line without credentials: `[Errno 111] Connection refused`."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    first_line = (str(error).splitlines() or [""])[0]
    return mask_credentials(first_line)[:200] or type(error).__name__
