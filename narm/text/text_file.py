"""Text files that people write, and the place of a mistake in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from narm.errors import InputError


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, without its byte order mark.

    Raises:
        InputError: there is no such file, it cannot be read, or it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file in UTF-8 (byte {error.start})") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None


@contextmanager
def located(file: str, line: int) -> Iterator[None]:
    """Put `FILE:LINE: ` before the message of an InputError that the block raises."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{file}:{line}: {error}") from None
