"""What of a YAML definition depends on the data: ends and steps of a range, and choices with a `where`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeGuard

from narm.errors import InputError
from narm.text.suggestion import did_you_mean
from search_spaces.axis import Axis
from search_spaces.data_size import Amount, Condition, DataSize

RANGE_NUMBERS = ("low", "high", "step")
_CHOICE_KEYS = ("value", "where")


@dataclass(frozen=True, slots=True)
class Choice:
    """A value to choose, and for which data; None: for all."""

    value: object
    where: Condition | None = None

    @classmethod
    def parse(cls, entry: object, keys: tuple[str, ...] = _CHOICE_KEYS) -> Choice:
        """Read `value`, or `{value: ..., where: ...}`.

        Raises:
            InputError: it is a mapping with other keys, or without a value.
        """
        if not isinstance(entry, dict):
            return cls(entry)
        for name in entry:
            if name not in keys:
                raise InputError(f"unknown key '{name}'{did_you_mean(name, keys)}")
        if "value" not in entry:
            raise InputError("value missing: write {value: CE, where: items <= 10000}")
        return cls(entry["value"], Condition.parse(entry["where"]) if "where" in entry else None)

    def is_for(self, size: DataSize) -> bool:
        """Whether it is for data of that size."""
        return self.where is None or self.where.holds(size)

    def __str__(self) -> str:
        return f"{self.value}" if self.where is None else f"{self.value} where {self.where.text}"


def amounts_in(definition: Mapping[str, Any]) -> dict[str, Amount]:
    """The numbers of a range that depend on the data, by key.

    Raises:
        InputError: one was meant to, and is not readable.
    """
    return {
        key: Amount.parse(definition[key])
        for key in RANGE_NUMBERS
        if key in definition and Amount.is_meant(definition[key])
    }


def range_for(axis: Axis, definition: Mapping[str, Any], size: DataSize) -> dict[str, Any]:
    """The definition of a range with plain numbers; a high end that steps would miss is lowered to the last of them."""
    kind = axis.number or float
    amounts = amounts_in(definition)
    filled = {**definition, **{key: amount.value(size, kind) for key, amount in amounts.items()}}
    low, high, step = (filled.get(key) for key in RANGE_NUMBERS)
    if amounts and _is_number(low) and _is_number(high) and _is_number(step) and step > 0 and high > low:
        start, by = Fraction(str(low)), Fraction(str(step))
        filled["high"] = kind(start + (Fraction(str(high)) - start) // by * by)
    return filled


def texts(definition: object) -> Iterator[str]:
    """Whatever of a definition depends on the data, as it is written: `high: items / 4`, `CE where items <= 10000`."""
    if isinstance(definition, dict) and "choices" not in definition:
        yield from (f"{key}: {amount.text}" for key, amount in amounts_in(definition).items())
    else:
        yield from (str(choice) for choice in choices_in(definition) if choice.where is not None)


def choices_in(definition: object) -> list[Choice]:
    """The choices of a definition, for data of any size; none, if it is no list."""
    entries = definition.get("choices") if isinstance(definition, dict) else definition
    return [Choice.parse(entry) for entry in entries] if isinstance(entries, list) else []


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
