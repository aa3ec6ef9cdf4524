"""RecBole's atomic files of interactions, `.inter`: columns `field:type`, no quoting.

https://recbole.io/docs/user_guide/data/atomic_files.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from narm.config import DataConfig
from narm.data.readers.columns import (
    Columns,
    find_column,
    find_columns,
    looks_like_session,
    require_distinct,
    require_own_names,
    with_columns,
)
from narm.data.readers.event_table import TICKS, EventTable
from narm.data.readers.layout import TextLayout, read_first_line
from narm.data.readers.text import read_text
from narm.errors import InputError
from narm.text.suggestion import did_you_mean

FIELD_TYPES = ("token", "float", "token_seq", "float_seq")
ALLOWED_TYPES = {
    "session": ("token",),
    "item": ("token", "token_seq"),
    "time": ("float", "float_seq", "token"),
}
OTHER_SEPARATORS = "\t,;| "
LIST_SUFFIX = "_list"  # RecBole's, of the field that holds the items before the one to predict


def read_atomic(path: Path, config: DataConfig) -> EventTable:
    """Read an atomic file; a row whose items are a `token_seq` is as many events.

    Fields other than the session, item and time are skipped, whatever their type. With `item_id_list:token_seq`
    each row is a session, or, beside `item_id:token`, a prefix and its target.

    Raises:
        InputError: line 1 is not a list of `field:type`, or as `find_columns` and `read_text`.
    """
    if len(config.field_separator) != 1 or not config.field_separator.isascii():
        raise InputError(f"field_separator: {config.field_separator!r} is not one ASCII character")
    if config.field_separator in "\r\n":
        raise InputError("field_separator: a line end cannot separate columns")
    if not config.seq_separator:
        raise InputError("seq_separator: empty")
    require_own_names(config, path)
    header = _split_header(read_first_line(path), config.field_separator, path)
    types = dict(_field(column, path) for column in header)
    names = [column.rpartition(":")[0] for column in header]
    require_distinct(names, f"{path}, line 1")
    items = _list_of_items(types, config.item_column)
    if items is not None:
        layout, of_users = _layout_of_lists(path, config, header, types, items), False
    else:
        layout, of_users = _layout_of_events(path, config, header, types)
    events = replace(read_text(layout), atomic=True, of_users=of_users)
    if layout.session is None or layout.time is None:
        return events
    columns = Columns(*(column.rpartition(":")[0] for column in (layout.session, layout.item, layout.time)))
    return with_columns(events, columns, names, config, path)


def _split_header(line: str, separator: str, path: Path) -> tuple[str, ...]:
    """The columns of line 1; one that holds several types has another separator."""
    header = tuple(line.split(separator))
    if len(header) == 1 and line.count(":") > 1:
        others = [repr(other) for other in OTHER_SEPARATORS if other in line]
        hint = f"; is field_separator {others[0]}?" if others else ""
        raise InputError(f"{path}, line 1: one column, '{line[:80]}', with {separator!r} for field_separator{hint}")
    return header


def _list_of_items(types: Mapping[str, str], item_column: str | None) -> str | None:
    """The field whose rows are sessions, or the items before a target: `item_id_list`, RecBole's of `item_id`."""
    lists = [name for name, kind in types.items() if name.endswith(LIST_SUFFIX) and kind == "token_seq"]
    if item_column is not None:
        lists = [name for name in lists if name == item_column + LIST_SUFFIX]
    return lists[0] if len(lists) == 1 else None


def _layout_of_events(
    path: Path, config: DataConfig, header: tuple[str, ...], types: Mapping[str, str]
) -> tuple[TextLayout, bool]:
    """Rows that are events; and whether their sessions are users."""
    names = _find_columns(types, config, f"{path}, line 1")
    for role, name in names._asdict().items():
        _check_type(path, role, name, types)
    if types[names.time] == "float_seq" and types[names.item] != "token_seq":
        raise InputError(f"{path}, line 1: field '{names.time}' is float_seq, but '{names.item}' is one token")
    layout = _layout(path, config, header)(
        session=_spelled(names.session, types),
        item=_spelled(names.item, types),
        time=_spelled(names.time, types),
        item_separator=config.seq_separator if types[names.item] == "token_seq" else None,
        time_separator=config.seq_separator if types[names.time] == "float_seq" else None,
    )
    return layout, not looks_like_session(names.session)


def _find_columns(types: Mapping[str, str], config: DataConfig, where: str) -> Columns:
    """The columns of events; a sequence beside too few of them may be what RecBole calls `item_id_list`."""
    try:
        return find_columns(list(types), config, where, atomic=True)
    except InputError as error:
        sequences = [name for name, kind in types.items() if kind == "token_seq"]
        if len(sequences) != 1:
            raise
        item = config.item_column or "item_id"
        raise InputError(
            f"{error}; if '{sequences[0]}' has the items before a target, line 1 must call the two "
            f"{item}{LIST_SUFFIX}:token_seq and {item}:token"
        ) from None


def _layout_of_lists(
    path: Path, config: DataConfig, header: tuple[str, ...], types: Mapping[str, str], items: str
) -> TextLayout:
    """Rows that are sessions, or examples: their time, if there is one, is that of the session."""
    target = items.removesuffix(LIST_SUFFIX)
    is_example = types.get(target) == "token"
    # Rows that are examples say themselves which belong together, whatever their session field may say.
    session, time = (
        None if is_example else find_column(role, list(types), config, f"{path}, line 1", "session")
        for role in ("session", "time")
    )
    for role, name in (("session", session), ("time", time)):
        if name is not None:
            _check_type(path, role, name, types)
    return _layout(path, config, header)(
        session=_spelled(session, types) if session else None,
        item=_spelled(items, types),
        time=_spelled(time, types) if time else None,
        target=_spelled(target, types) if is_example else None,
        item_separator=config.seq_separator,
        time_separator=config.seq_separator if time and types[time] == "float_seq" else None,
    )


def _layout(path: Path, config: DataConfig, header: tuple[str, ...]) -> partial[TextLayout]:
    """What all layouts of atomic files have in common."""
    return partial(
        TextLayout,
        path=path,
        header=header,
        delimiter=config.field_separator,
        quoted=False,
        ticks_per_second=TICKS[config.time_unit],
        skip_wrong=config.bad_lines == "skip",
    )


def _spelled(name: str, types: Mapping[str, str]) -> str:
    return f"{name}:{types[name]}"


def _check_type(path: Path, role: str, name: str, types: Mapping[str, str]) -> None:
    if types[name] not in ALLOWED_TYPES[role]:
        allowed = " or ".join(ALLOWED_TYPES[role])
        raise InputError(f"{path}, line 1: field '{name}' is {types[name]}; the {role} must be {allowed}")


def _field(column: str, path: Path) -> tuple[str, str]:
    name, _, kind = column.rpartition(":")
    if not name:
        raise InputError(f"{path}, line 1: '{column}' is not field:type, e.g. user_id:token")
    if kind not in FIELD_TYPES:
        raise InputError(f"{path}, line 1: field '{name}' has type '{kind}'{did_you_mean(kind, FIELD_TYPES)}")
    return name, kind
