"""Addresses of databases, servers and stores: what may be written down of them, and what lies below them."""

from __future__ import annotations

import re
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


def absolute_tracking_uri(uri: str) -> str:
    """A tracking URI that means the same from any working directory.

    Raises:
        InputError: it is of no kind that MLflow can write to.
    """
    scheme, separator, rest = uri.partition("://")
    if scheme == "sqlite" and rest.strip("/"):
        return f"sqlite:///{Path(rest.removeprefix('/')).resolve()}"
    if separator and rest and scheme.partition("+")[0] in ("http", "https", "postgresql", "mysql", "mssql"):
        return uri
    raise InputError(
        f"tracking URI '{mask_credentials(uri)}': write sqlite:///FILE, http://HOST:PORT or postgresql://HOST/NAME"
    )
