"""RecBole's atomic files of interactions, `.inter`: columns `field:type`, no quoting.

https://recbole.io/docs/user_guide/data/atomic_files.html
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from narm.config import DataConfig, did_you_mean
from narm.data.readers.columns import Columns, find_columns
from narm.data.readers.layout import TextLayout, read_header_line
from narm.data.readers.text import read_text
from narm.errors import InputError

FIELD_TYPES = ("token", "float", "token_seq", "float_seq")
ALLOWED_TYPES = {
    "session": ("token",),
    "item": ("token", "token_seq"),
    "time": ("float", "float_seq", "token"),
}


def read_atomic(path: Path, config: DataConfig) -> tuple[pa.Table, str]:
    """Read an atomic file; a row whose items are a `token_seq` is as many events.

    Fields other than the session, item and time are skipped, whatever their type.

    Returns:
        the table of `read_text`, and the name of the session field.
    Raises:
        InputError: line 1 is not a list of `field:type`, or as `find_columns` and `read_text`.
    """
    if len(config.field_separator) != 1:
        raise InputError(f"field_separator: {config.field_separator!r} is not one character")
    if not config.seq_separator:
        raise InputError("seq_separator: empty")
    header = tuple(read_header_line(path).split(config.field_separator))
    types = dict(_field(column, path) for column in header)
    names = find_columns([column.rpartition(":")[0] for column in header], config, f"{path}, line 1", prefer="user")
    for role, name in names._asdict().items():
        if types[name] not in ALLOWED_TYPES[role]:
            allowed = " or ".join(ALLOWED_TYPES[role])
            raise InputError(f"{path}, line 1: field '{name}' is {types[name]}; the {role} must be {allowed}")
    if types[names.time] == "float_seq" and types[names.item] != "token_seq":
        raise InputError(f"{path}, line 1: field '{names.time}' is float_seq, but '{names.item}' is one token")
    layout = TextLayout(
        path=path,
        header=header,
        delimiter=config.field_separator,
        quoted=False,
        columns=Columns(*(f"{name}:{types[name]}" for name in names)),
        item_separator=config.seq_separator if types[names.item] == "token_seq" else None,
        time_separator=config.seq_separator if types[names.time] == "float_seq" else None,
    )
    return read_text(layout), names.session


def _field(column: str, path: Path) -> tuple[str, str]:
    name, _, kind = column.rpartition(":")
    if not name:
        raise InputError(f"{path}, line 1: '{column}' is not field:type, e.g. user_id:token")
    if kind not in FIELD_TYPES:
        raise InputError(f"{path}, line 1: field '{name}' has type '{kind}'{did_you_mean(kind, FIELD_TYPES)}")
    return name, kind
