"""Files that survive a crash: written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from narm.errors import InputError


@contextmanager
def _made_parents(path: Path) -> Iterator[None]:
    """The folders above `path`; when the block fails, those that were not there before and are empty go again."""
    missing = [folder for folder in path.parents if not folder.exists()]  # the deepest first
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in missing:
            with suppress(OSError):  # not made, or another's file is in it
                folder.rmdir()
        raise


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its place at `path` when the block ends well, and leaves no trace when it does not."""
    with _made_parents(path):
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, in UTF-8."""
    with atomic_file(path) as file:
        file.write(text.encode())


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A folder that takes its place at `path` when the block ends well, and leaves no trace when it does not.

    Raises:
        InputError: there is something at `path`, or its parent cannot be written.
    """
    with ExitStack() as parents:
        try:
            if path.exists():
                raise InputError(f"{path}: exists; name a new folder")
            parents.enter_context(_made_parents(path))
            temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        except OSError as error:
            raise InputError(f"{path}: cannot be written: {error.strerror}") from None
        try:
            yield temporary
            temporary.chmod(0o777 & ~_umask())  # mkdtemp's folders are for their owner alone
            temporary.rename(path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_writable(path: Path) -> Path:
    """The same path, once it is sure that a file can be written there: before the work, not after it.

    Raises:
        InputError: its folder cannot be made or written, or it is a folder itself.
    """
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file")
    try:
        with _made_parents(path), tempfile.TemporaryFile(dir=path.parent):
            return path
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
