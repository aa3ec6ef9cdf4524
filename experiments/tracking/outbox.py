"""A queue on disk between the search, which appends updates and goes on, and the thread that sends them.

After a crash between sending an update and noting so it is sent twice; the receiver must not mind.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from experiments.tracking.update import RunStatus, Update
from narm.errors import InputError
from narm.machine.files import write_text

logger = logging.getLogger(__name__)

BATCH = 200
"""Updates that are sent together, at most."""


@dataclass(slots=True)
class RunState:
    """Status and last step of a run, after all updates of an outbox."""

    status: RunStatus | None = None
    step: int = 0


class Outbox:
    """A file of updates, one JSON line each, behind a first line that says what they belong to.

    A second file, `NAME.sent`, says how much has been sent, and to whom. One process at a time holds an outbox.

    Args:
        path: the file; it is created if need be.
        header: first line of a new file.
        receiver: address that it is sent to, without credentials; a new receiver is sent everything.
    Attributes:
        header: the first line of the file.
    Raises:
        InputError: another process holds the outbox, or the file is none.
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
        """Cut a last line that a crash left unfinished."""
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
        """Send everything again."""
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

    def read(self, limit: int = BATCH) -> tuple[list[Update], int]:
        """The next updates to send, at most `limit`, and the position behind them for `mark_sent`."""
        with self.path.open("rb") as file:
            file.seek(self._sent)
            lines = [line for line in islice(file, limit) if line.endswith(b"\n")]
        return list(self._parse(lines)), self._sent + sum(map(len, lines))

    def mark_sent(self, position: int) -> None:
        """Note that all updates before `position` have arrived."""
        self._sent = position
        self._position_file.write_text(f"{position} {self._receiver}")  # need not be atomic: see _read_position

    def runs(self) -> dict[str, RunState]:
        """State of each run after everything that was ever appended, in the order of their start."""
        runs: dict[str, RunState] = {}
        with self.path.open("rb") as file:
            for update in self._parse(list(file)[1:]):
                run = runs.setdefault(update.run, RunState())
                run.status = update.status or run.status
                run.step = max(run.step, update.step)
        return runs

    def close(self) -> None:
        """Release the outbox for other processes."""
        self._file.close()

    def _parse(self, lines: Iterable[bytes]) -> Iterator[Update]:
        for line in lines:
            try:
                yield Update.from_line(line)
            except (ValueError, TypeError):
                logger.warning("%s: skipped a damaged line: %.60r", self.path, line)
