"""A setting of a search, defined once, as a field of the study's spec.

Its flag, how that is read, its default, its smallest value, and what a study stores of it for `--resume` all come from
the field's `setting(...)`: the command line and the stored spec go through the fields and name none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

Settled = Mapping[str, Any]
"""Values of the fields that are settled already, by name."""

_METADATA = "setting"


@dataclass(frozen=True, slots=True)
class FlagGroup:
    """Flags that the help shows together.

    Attributes:
        title: above them.
        rare: whether only `--help-all` shows them.
    """

    title: str
    rare: bool = False


@dataclass(frozen=True, slots=True)
class Derived:
    """A value that follows from other settings, and is computed when these are settled."""

    rule: Callable[[Settled], Any]


def as_it_is(value: T) -> T:
    """The value itself: nothing is to be read, stored or restored in another form."""
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is known of a field of the spec.

    Attributes:
        flags: its spellings, the documented one first; none: the command line has no flag for it.
        group: where the help shows the flag.
        help: for the flag.
        metavar: the value's placeholder in the help; None: the flag is a switch.
        repeatable: whether the flag may be given several times; what is read is then a list.
        kind: what the parser makes of the text of a flag: int, float or str.
        read: makes the value of that, or something `Derived`.
        least: the smallest value that is allowed.
        most: the largest value that is allowed.
        default: the value where nothing is said, or how it is `Derived`; MISSING: the preset or the command has one.
        key: what a study stores it under, with a dot for a mapping in a mapping; empty: the field's name.
        store: makes JSON types of the value.
        store_in: in place of it, for an address: makes them of the value and the folder of all studies.
        restore: makes the value of these, or something `Derived`.
    """

    flags: tuple[str, ...] = ()
    group: FlagGroup | None = None
    help: str = ""
    metavar: str | None = None
    repeatable: bool = False
    kind: Callable[[str], Any] = str
    read: Callable[[Any], Any] = as_it_is
    least: float | None = None
    most: float | None = None
    default: Any = MISSING
    key: str = ""
    store: Callable[[Any], Any] = as_it_is
    store_in: Callable[[Any, Path], Any] | None = None
    restore: Callable[[Any], Any] = as_it_is

    @property
    def destination(self) -> str:
        """Where the parsed command line has it; empty: nowhere."""
        return self.flags[0].removeprefix("--").replace("-", "_") if self.flags else ""


def setting(*flags: str, default: Any = MISSING, **attributes: Any) -> Any:
    """A field of the spec that is a setting; the arguments are the attributes of `Setting`."""
    made = Setting(flags=flags, default=default, **attributes)
    return field(default=MISSING if isinstance(default, Derived) else default, metadata={_METADATA: made})


def settings(spec: type[Any]) -> dict[str, Setting]:
    """What is known of every field of a spec, by name, in their order."""
    return {known.name: known.metadata.get(_METADATA) or Setting(default=known.default) for known in fields(spec)}


def settle(values: Mapping[str, Any], spec: type[Any]) -> dict[str, Any]:
    """Values for the fields of a spec: those given, then defaults, and at last what is derived, in the fields' order.

    Args:
        values: by name of the field; some may be `Derived`.
        spec: has the fields.
    """
    known = settings(spec)
    wanted = {name: values.get(name, about.default) for name, about in known.items()}
    settled = {name: value for name, value in wanted.items() if not isinstance(value, Derived) and value is not MISSING}
    for name, value in wanted.items():
        if isinstance(value, Derived):
            settled[name] = value.rule(settled)
    return settled
