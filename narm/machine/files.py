"""Files that survive a crash and a full disk: written whole or not at all."""

from __future__ import annotations

import errno
import io
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from narm.errors import InputError
from narm.machine.destination import Destination

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its place at `path` when the block ends well, and leaves no trace when it does not.

    A regular file is replaced whole and keeps its mode, a new one follows the umask, and links are followed. Anything
    else, as a device or a pipe, stays what it is and gets the content when the block ends well.

    Raises:
        OSError: it cannot be written; it names `path`, whatever the block made of the error.
    """
    with _naming(path):
        destination = Destination.of(path)
        destination.require_access()
    with _streamed(destination, path) if destination.is_stream else _replaced(destination, path) as file:
        yield file


@contextmanager
def _streamed(destination: Destination, path: Path) -> Iterator[IO[bytes]]:
    content = io.BytesIO()
    yield content
    with _naming(path), destination.open_stream() as stream:
        stream.write(content.getbuffer())


@contextmanager
def _replaced(destination: Destination, path: Path) -> Iterator[IO[bytes]]:
    with ExitStack() as parents:
        with _naming(path):
            parents.enter_context(_made_parents(destination.path))
            scratch = _scratch_beside(destination.path)
            disk = _Disk(scratch, "x")  # made by the kernel with the mode that the umask leaves
        try:
            with io.BufferedWriter(disk) as file:
                destination.hand_over(disk.fileno())
                yield file
                file.flush()
                disk.sync()
            if disk.failure is not None:  # the block went on all the same
                raise disk.failure
            with _naming(path):
                _put(scratch, destination.path)
        except BaseException:
            scratch.unlink(missing_ok=True)
            if disk.failure is not None:
                raise _named(disk.failure, path) from None
            raise


class _Disk(io.FileIO):
    """A file that remembers why it could not be written: what torch and zipfile raise after that hides it."""

    failure: OSError | None = None

    def write(self, content: ReadableBuffer, /) -> int | None:  # type: ignore[override]  # typeshed: int
        try:
            return super().write(content)
        except OSError as error:
            self.failure = error
            raise

    def sync(self) -> None:
        """Wait until the content is on the disk."""
        try:
            os.fsync(self.fileno())
        except OSError as error:
            self.failure = error
            raise


def _put(scratch: Path, path: Path) -> None:
    """Move a file that is done to its place."""
    try:
        scratch.replace(path)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        shutil.copyfile(scratch, path)  # a file that is mounted into a container by itself cannot be replaced
        scratch.unlink()


def write_text(path: Path, text: str) -> None:
    r"""Write a text file atomically, in UTF-8.

    What has no UTF-8, as a byte in a file's name, becomes `\udcff`, which is how JSON spells it, too.
    """
    with atomic_file(path) as file:
        file.write(text.encode(errors="backslashreplace"))


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A folder that takes its place at `path` when the block ends well, and leaves no trace when it does not.

    Raises:
        InputError: there is something at `path`, or its parent cannot be written.
        OSError: what the block raised; a file of the folder is named as it would have been.
    """
    with ExitStack() as parents:
        with _refusing(path):
            destination = Destination.of(path)
            if destination.there is not None:
                raise InputError(f"{path}: exists; name a new folder")
            parents.enter_context(_made_parents(destination.path))
            scratch = _scratch_beside(destination.path)
            scratch.mkdir()
        try:
            yield scratch
            with _naming(path):
                scratch.rename(destination.path)
        except BaseException as error:
            shutil.rmtree(scratch, ignore_errors=True)
            if isinstance(error, OSError) and Path(str(error.filename)).is_relative_to(scratch):
                raise _named(error, path / Path(error.filename).relative_to(scratch)) from None
            raise


@contextmanager
def _made_parents(path: Path) -> Iterator[None]:
    """The folders above `path`; when the block fails, those that were not there before and are empty go again."""
    missing = [folder for folder in path.parents if not folder.exists()]  # the deepest first
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            path.lstat()  # a file system has a longest name
        yield
    except BaseException:
        for folder in missing:
            with suppress(OSError):  # not made, or another's file is in it
                folder.rmdir()
        raise


def _scratch_beside(path: Path) -> Path:
    """A name that nobody else uses, in the same folder, and short wherever that of the file may be long."""
    return path.with_name(f".narm-{secrets.token_hex(8)}")


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Errors of the disk name the file that was asked for, and not a scratch file or nothing at all."""
    try:
        yield
    except OSError as error:
        raise _named(error, path) from None


def _named(error: OSError, path: Path) -> OSError:
    return OSError(error.errno, error.strerror or str(error), str(path))


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None


def require_writable(path: Path) -> Path:
    """The same path, once it is sure that a file can be written there: before the work, not after it.

    Raises:
        InputError: its folder cannot be made or written, what is there may not be written, or is a folder.
    """
    with _refusing(path):
        destination = Destination.of(path)
        if destination.is_folder:
            raise InputError(f"{path}: is a folder; name a file")
        destination.require_access()
        if not destination.is_stream:
            with _made_parents(destination.path), tempfile.TemporaryFile(dir=destination.path.parent):
                pass
    return path
