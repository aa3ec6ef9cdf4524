"""Which columns of a file name the session, the item and the time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from narm.config import DataConfig
from narm.data.readers.event_table import EventTable
from narm.data.readers.times import is_date, is_number
from narm.errors import InputError
from narm.text.suggestion import did_you_mean

SESSIONS = (
    *("sessionid", "session", "usersession", "usersessionid", "gasessionid", "visitid", "visit"),
    *("basketid", "cartid", "orderid", "invoiceno", "playlistid"),
)
USERS = ("userid", "user", "visitorid", "customerid", "fullvisitorid", "userpseudoid", "reviewerid", "memberid", "uid")
ITEMS = (
    *("itemid", "item", "productid", "movieid", "articleid", "clickarticleid", "aid", "trackid", "songid"),
    *("bookid", "newsid", "parentasin", "asin", "sku", "stockcode", "venueid", "locationid", "businessid"),
)
# Dates without a time of day are left out on purpose: they do not order the events of a session.
TIMES = (
    *("timestamp", "time", "ts", "datetime", "eventtime", "eventtimestamp", "clicktimestamp", "createdat"),
    *("unixreviewtime", "visitstarttime"),
)
USUAL_NAMES = {"session": (*SESSIONS, *USERS), "item": ITEMS, "time": TIMES}
"""Names as `plain_name` has them, the usual ones first; those that public datasets and shop logs have."""

_ABOUT_SESSIONS = ("start", "end", "length", "size", "time", "timestamp", "date", "number", "count", "duration", "type")


class Columns(NamedTuple):
    """Names of the three columns, as the file spells them."""

    session: str
    item: str
    time: str


def find_columns(names: Sequence[str], config: DataConfig, where: str, *, atomic: bool = False) -> Columns:
    """Find the session, item and time columns: those the options name, else those usually named so.

    Where a file has both, the session is preferred to the user, but not in an atomic file, where RecBole
    groups by the user, and not where `session_gap` is to make the sessions.

    Args:
        names: the file's columns.
        config: its `session_column`, `item_column`, `time_column` and `session_gap` are looked at.
        where: the file (and line) that errors name.
        atomic: whether it is an atomic file.
    Raises:
        InputError: a column is not there or not recognised; the message names the columns and the option.
    """
    require_distinct(names, where)
    prefer = "user" if atomic or config.session_gap is not None else "session"
    return Columns(*(_required(role, names, config, where, prefer) for role in USUAL_NAMES))


def with_columns(
    events: EventTable, columns: Columns, names: Sequence[str], config: DataConfig, path: Path
) -> EventTable:
    """The events with the columns that they are from.

    Args:
        events: what was read.
        columns: those that were taken.
        names: all of the file's columns.
        config: the options by which they were found.
        path: the file.
    """
    return replace(events, columns=columns, taken=_taken(columns, names, config, path, of_dates=events.of_dates))


def _taken(
    columns: Columns, names: Sequence[str], config: DataConfig, path: Path, *, of_dates: bool
) -> tuple[str, ...]:
    """A note on what was taken for what, in which unit, and what else could have been meant.

    There is none if the options name all three columns.
    """
    if None not in (config.session_column, config.item_column, config.time_column):
        return ()
    unit = "dates" if of_dates else f"numbers, in {config.time_unit}"
    note = f"{path.name}: columns taken: session {columns.session}, item {columns.item}, time {columns.time} ({unit})"
    if config.session_column is None:
        others = [name for name in names if looks_like_session(name) and name != columns.session]
        users = [name for name in names if plain_name(name) in USERS and name != columns.session]
        if others:
            note += f"; {others[0]} also looks like a session: session_column: {others[0]}"
        elif users:
            note += f"; the user, {users[0]}, is not used"
    return (note,)


def plain_name(name: str) -> str:
    """A column's name without what spellings of it differ in: `sessionid` for `session_id` and `SessionId`."""
    return name.strip().lower().replace("_", "").replace("-", "").replace(" ", "")


def looks_like_session(name: str) -> bool:
    """Whether a column seems to name sessions, and not what they are like."""
    plain = plain_name(name)
    return plain in SESSIONS or ("session" in plain and not plain.endswith(_ABOUT_SESSIONS))


def is_value(name: str) -> bool:
    """Whether what should be the name of a column is a number or a date: the file has no header then."""
    return is_number(name) or is_date(name)


def require_distinct(names: Sequence[str], where: str) -> None:
    """Refuse a header that names a column twice.

    Raises:
        InputError: it does.
    """
    repeated = [name for place, name in enumerate(names) if name in names[:place]]
    if repeated:
        raise InputError(f"{where}: column '{repeated[0]}' appears twice")


def require_own_names(config: DataConfig, path: Path) -> None:
    """Refuse to name the columns of a file whose format has their names in it.

    Raises:
        InputError: the option `columns` does so.
    """
    if config.columns is not None:
        raise InputError(f"columns: {path} names its columns itself: leave the option out")


def find_column(role: str, names: Sequence[str], config: DataConfig, where: str, prefer: str) -> str | None:
    """The column of a role, "session", "item" or "time": the one its option names, else a usual one, else None.

    Raises:
        InputError: the option names a column that is not there.
    """
    option = f"{role}_column"
    wanted: str | None = getattr(config, option)
    if wanted is not None:
        if wanted not in names:
            raise InputError(f"{where}: no column '{wanted}' ({option}){did_you_mean(wanted, names)}")
        return wanted
    if role == "session":
        return _find_session(names, prefer)
    return _first_of(USUAL_NAMES[role], names)


def _find_session(names: Sequence[str], prefer: str) -> str | None:
    like_sessions = [name for name in names if looks_like_session(name)]
    session = _first_of(SESSIONS, names) or next(iter(like_sessions), None)
    user = _first_of(USERS, names)
    return user or session if prefer == "user" else session or user


def _first_of(usual: Collection[str], names: Sequence[str]) -> str | None:
    spelled = {plain_name(name): name for name in reversed(names)}
    return next((spelled[name] for name in usual if name in spelled), None)


def _required(role: str, names: Sequence[str], config: DataConfig, where: str, prefer: str) -> str:
    found = find_column(role, names, config, where, prefer)
    if found is None:
        raise InputError(f"{where}: no usual {role} column; name one with {role}_column: {', '.join(names)}")
    return found
