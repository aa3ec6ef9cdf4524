"""Standard output and error as they are found: closed, in any encoding, with a reader that has gone away."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import TextIO

_SPELLED = {"…": "...", "±": "+/-", "·": "-", "×": "x", "–": "-", "—": "-", "−": "-", "≤": "<=", "≥": ">="}
_BYTES = range(0xDC80, 0xDD00)  # how Python keeps the bytes of a file's name that are no text


def make_usable() -> None:
    """Let anything be printed: a stream that the shell has closed swallows it, an encoding spells what it lacks.

    A closed stream's number would go to the next file that is opened, and what is printed into that file.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, os.fdopen(number, mode, closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a test may have put another in its place
            stream.reconfigure(errors=spell.__name__)


def spell(error: UnicodeError) -> tuple[str | bytes, int]:
    r"""Write a character that an encoding lacks in ASCII; a byte of a file's name as it is, all else as `\u2603`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    if ord(character) in _BYTES:
        return bytes([ord(character) - 0xDC00]), error.start + 1
    return _SPELLED.get(character) or character.encode("unicode_escape").decode(), error.start + 1


codecs.register_error(spell.__name__, spell)


def discard(stream: TextIO) -> None:
    """Let what is printed from now on, and what is in the buffer, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def is_broken(stream: TextIO) -> bool:
    """Whether what was printed cannot be written."""
    try:
        stream.flush()
    except OSError:
        return True
    return False
