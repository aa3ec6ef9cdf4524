"""Where a file that somebody named really goes: links are followed, and what is no regular file is written through."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MOST_LINKS = 40  # as Linux has it


@dataclass(frozen=True, slots=True)
class Destination:
    """The place that a path leads to.

    Attributes:
        path: behind all links.
        there: what is there now; None: nothing.
        descriptor: the open file of this process that the path names, as /dev/stdout and `>(...)` do; None: another.
    """

    path: Path
    there: os.stat_result | None
    descriptor: int | None

    @classmethod
    def of(cls, path: Path) -> Destination:
        """Follow a path.

        Raises:
            OSError: it cannot be followed, as it is too long, or its links go round in a circle.
        """
        path = _behind_links(path)
        try:
            there = path.stat()
        except FileNotFoundError:
            there = None
        return cls(path, there, _descriptor(path))

    @property
    def is_stream(self) -> bool:
        """Whether it is written through: a device, a pipe, a socket, or a file that is open already."""
        return self.descriptor is not None or not (self.there is None or stat.S_ISREG(self.there.st_mode))

    @property
    def is_folder(self) -> bool:
        """Whether there is a folder."""
        return self.there is not None and stat.S_ISDIR(self.there.st_mode)

    def open_stream(self) -> BinaryIO:
        """Open what is there, which stays what it is; behind all that was printed so far."""
        for printed in (sys.stdout, sys.stderr):
            if printed is not None:  # closed by the shell: `>&-`
                printed.flush()
        # A duplicate, since a socket cannot be opened again, and a log that is appended to would be emptied.
        source = os.open(self.path, os.O_WRONLY) if self.descriptor is None else os.dup(self.descriptor)
        return os.fdopen(source, "wb")

    def require_access(self) -> None:
        """Make sure that what is there may be written, and touch it no further.

        Raises:
            OSError: it may not.
        """
        if self.descriptor is not None:
            if fcntl.fcntl(self.descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
                raise OSError(errno.EBADF, "open for reading only")
            return
        if self.there is None:
            return
        if stat.S_ISREG(self.there.st_mode) or self.is_folder:
            os.close(os.open(self.path, os.O_WRONLY))
        elif not os.access(self.path, os.W_OK):  # to open a pipe would be to wait for its reader
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def hand_over(self, descriptor: int) -> None:
        """Give another file the mode of the one that is there, and its group and owner where this user may."""
        if self.there is None:
            return
        for user, group in ((-1, self.there.st_gid), (self.there.st_uid, -1)):
            try:
                os.fchown(descriptor, user, group)
            except OSError:
                continue
        os.fchmod(descriptor, stat.S_IMODE(self.there.st_mode))


def _behind_links(path: Path) -> Path:
    for _ in range(_MOST_LINKS):
        if _descriptor(path) is not None or not path.is_symlink():
            return path
        path = path.parent / path.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _descriptor(path: Path) -> int | None:
    """The number in /proc/self/fd/1 or /dev/fd/1, however it is spelled."""
    if path.name.isascii() and path.name.isdigit():
        folder = os.path.realpath(path.parent)
        if folder in ("/dev/fd", f"/proc/{os.getpid()}/fd"):
            return int(path.name)
    return None
