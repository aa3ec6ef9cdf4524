"""Addresses of databases, servers and stores: what may be written down of them, and what lies below them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from narm.errors import InputError

_USER_INFO = re.compile(r"(?<=://)[^/\s]+@")
_SECRET_PARAMETER = re.compile(r"(?i)(?<=[?&])((?:\w*password|\w*token|\w*secret)=)[^&\s'\"]+")


def mask_credentials(text: str) -> str:
    """The text with the user and password of every address in it replaced by `***`."""
    return _SECRET_PARAMETER.sub(r"\1***", _USER_INFO.sub("***@", text))


def address_below(address: str, name: str) -> str:
    """The address of `name` in a folder or at a URI, whose options come after its path.

    >>> address_below("s3://bucket/narm?region=eu-west-1", "study")
    's3://bucket/narm/study?region=eu-west-1'
    """
    path, mark, options = address.partition("?") if "://" in address else (address, "", "")
    return f"{path.rstrip('/')}/{name}{mark}{options}"


def sqlite_url(file: Path) -> str:
    """The URL of a database in a file, whatever the characters of its path.

    >>> sqlite_url(Path("/data/50 %/runs.db"))
    'sqlite:////data/50 %25/runs.db'
    """
    path = str(file)
    if not {"%", "?"}.isdisjoint(path) and _unquotes():
        path = path.replace("%", "%25").replace("?", "%3F")
    return f"sqlite:///{path}"


def sqlite_file(url: str) -> Path | None:
    """The file of a database's URL; None: it is on a server, in memory, or no URL."""
    if not url.startswith("sqlite"):
        return None
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        database = make_url(url).database
    except ArgumentError:
        return None
    return Path(database) if database and database != ":memory:" and not database.startswith("file:") else None


OUTPUT = "{output}"
"""In an address that is stored: the folder of all studies, wherever that is moved."""


def portable(address: str, output: Path) -> str:
    """An absolute address or path, as it is stored: what lies in the folder of all studies may move with it."""
    for scheme, home in (("sqlite:///", sqlite_url(output.resolve())), ("", str(output.resolve()))):
        if address.startswith(f"{home}/"):
            return f"{scheme}{OUTPUT}{address.removeprefix(home)}"
    return address


def located(stored: str, output: Path) -> str:
    """The address that `portable` has stored, for the folder where the studies are now."""
    for scheme, home in (("sqlite:///", sqlite_url(output.resolve())), ("", str(output.resolve()))):
        if stored.startswith(f"{scheme}{OUTPUT}/"):
            return home + stored.removeprefix(f"{scheme}{OUTPUT}")
    return stored


@cache
def _unquotes() -> bool:
    """Whether this SQLAlchemy reads `%25` as a percent sign: since version 2.1 it does."""
    from sqlalchemy import make_url  # it takes a moment to import, and few paths need it

    return make_url("sqlite:///%25").database == "%"


def absolute_tracking_uri(uri: str) -> str:
    """A tracking URI that means the same from any working directory.

    Raises:
        InputError: it is of no kind that MLflow can write to.
    """
    scheme, separator, rest = uri.partition("://")
    if scheme == "sqlite" and rest.strip("/") and (file := sqlite_file(uri)) is not None:
        _, mark, options = uri.partition("?")
        return sqlite_url(file.resolve()) + mark + options
    if separator and rest and scheme.partition("+")[0] in ("http", "https", "postgresql", "mysql", "mssql"):
        return uri
    raise InputError(
        f"tracking URI '{mask_credentials(uri)}': write sqlite:///FILE, http://HOST:PORT or postgresql://HOST/NAME"
    )
