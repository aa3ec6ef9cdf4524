"""Reads a database that this user may not write: of another owner, or on a disk that is mounted read-only."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import URL, make_url

_SQLITE = "sqlite:///"


def for_reading(url: str) -> str:
    """The address that opens a database of studies for reading, which is the same where it may be written.

    SQLite reads a database that writes ahead with the help of two files beside it, which it makes if need be. Where it
    cannot, and they are not there, nobody is writing.
    """
    if not url.startswith(_SQLITE):
        return url
    path = Path(make_url(url).database or "")
    if not path.is_file():
        return url
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return url
    query = {"mode": "ro", "uri": "true"}
    if not path.with_name(f"{path.name}-wal").exists():
        query["immutable"] = "1"
    address = URL.create("sqlite", database=f"file:{quote(str(path.resolve()))}", query=query)
    return address.render_as_string()
