"""Which columns of a file name the session, the item and the time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from narm.config import DataConfig
from narm.errors import InputError
from narm.text.suggestion import did_you_mean

# Dates without a time of day are left out on purpose: they do not order the events of a session.
USUAL_NAMES = {
    "session": ("sessionid", "session", "userid", "user", "visitorid"),
    "item": ("itemid", "item", "productid", "movieid", "articleid"),
    "time": ("timestamp", "time", "ts", "datetime"),
}


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


def plain_name(name: str) -> str:
    """A column's name without what spellings of it differ in: `sessionid` for `session_id` and `SessionId`."""
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def require_distinct(names: Sequence[str], where: str) -> None:
    """Refuse a header that names a column twice.

    Raises:
        InputError: it does.
    """
    repeated = [name for place, name in enumerate(names) if name in names[:place]]
    if repeated:
        raise InputError(f"{where}: column '{repeated[0]}' appears twice")


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
    spelled = {plain_name(name): name for name in names}
    usual = sorted(USUAL_NAMES[role], key=lambda name: not name.startswith(prefer))
    return next((spelled[name] for name in usual if name in spelled), None)


def _required(role: str, names: Sequence[str], config: DataConfig, where: str, prefer: str) -> str:
    found = find_column(role, names, config, where, prefer)
    if found is None:
        raise InputError(f"{where}: no usual {role} column; name one with {role}_column: {', '.join(names)}")
    return found
