"""Names made of the names of files, which may hold anything."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

NAMELESS = "data"
"""What is left to call a file whose name has nothing to read."""

LONGEST_PART = 60  # bytes: several parts, a time and an ending still make a file name, of which 255 are allowed


def without_endings(path: Path) -> str:
    """What people call a file or folder: its name up to the first dot inside it, on one line and in UTF-8."""
    name = path.resolve().name.lstrip(".").partition(".")[0]
    return "".join(c if c.isprintable() else "-" for c in name).strip() or NAMELESS


def plain_part(text: str) -> str:
    """The text as part of a name that every file system, shell, database and registry takes, as long as is useful.

    Letters, digits, `_`, `.`, `+` and `-` are kept; whatever else there is becomes one `-`.

    >>> plain_part("clicks (1)")
    'clicks-1'
    """
    kept = re.sub(r"[^\w.+-]+", "-", unicodedata.normalize("NFC", text))
    return kept.encode()[:LONGEST_PART].decode(errors="ignore").strip("-.") or NAMELESS
