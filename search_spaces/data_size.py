"""How large the data are, and what may depend on that: a number, `items / 4`, or a condition, `items <= 10000`.

The grammar is all there is, and nothing is evaluated:

    number = [factor *] unit [* factor | / divisor] [at least number] [at most number]
    condition = unit (< | <= | > | >=) number
    unit = targets | items
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from narm.errors import InputError
from narm.text.suggestion import did_you_mean, nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSize:
    """The size of the data that a search is on.

    Attributes:
        targets: targets to train on.
        items: items, without the padding.
    """

    targets: int
    items: int

    def of(self, unit: str) -> int:
        """The number of targets or items."""
        return {"targets": self.targets, "items": self.items}[unit]

    def __str__(self) -> str:
        return f"{self.targets:,} training targets, {self.items:,} items"


UNITS = ("targets", "items")
_NUMBER = r"\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?"
_AMOUNT = re.compile(
    rf"(?:(?P<factor>{_NUMBER})\s*\*\s*)?(?P<unit>[a-z_]+)(?:\s*(?P<sign>[*/])\s*(?P<by>{_NUMBER}))?"
    rf"(?:\s+at\s+least\s+(?P<least>{_NUMBER}))?(?:\s+at\s+most\s+(?P<most>{_NUMBER}))?"
)
_CONDITION = re.compile(rf"(?P<unit>[a-z_]+)\s*(?P<sign><=|>=|<|>)\s*(?P<limit>{_NUMBER})")
_COMPARISONS: dict[str, Callable[[int, Fraction], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Amount:
    """A number that depends on the data.

    Attributes:
        text: as it is written, `targets / 50 at least 512`.
        unit: targets or items.
        factor: on their number.
        least: the smallest value; None: no bound.
        most: the largest value; None: no bound.
    """

    text: str
    unit: str
    factor: Fraction
    least: Fraction | None
    most: Fraction | None

    @staticmethod
    def is_meant(value: object) -> bool:
        """Whether a value is text that is, or was meant to be, such a number."""
        return isinstance(value, str) and (re.search(r"[*/ ]", value.strip()) is not None or _near_unit(value))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one.

        Raises:
            InputError: it is none.
        """
        match = _AMOUNT.fullmatch(text.strip())
        if match is None:
            raise InputError(
                f"'{text}' is no number that the data decide: write items, targets / 50, or "
                "2 * items at least 256 at most 4096"
            )
        _check_unit(match["unit"])
        factor, by = Fraction(match["factor"] or 1), Fraction(match["by"] or 1)
        if match["sign"] == "/" and not by:
            raise InputError(f"'{text}' divides by 0")
        least, most = (None if match[end] is None else Fraction(match[end]) for end in ("least", "most"))
        if least is not None and most is not None and least > most:
            raise InputError(f"'{text}': the least is more than the most")
        return cls(text, match["unit"], factor / by if match["sign"] == "/" else factor * by, least, most)

    def value(self, size: DataSize, kind: type[int] | type[float]) -> float:
        """Its value for data of that size; a whole number where the option takes only these."""
        exact = size.of(self.unit) * self.factor
        if self.least is not None:
            exact = max(exact, self.least)
        if self.most is not None:
            exact = min(exact, self.most)
        return round(exact) if kind is int else float(exact)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on the size of the data.

    Attributes:
        text: as it is written, `items <= 10000`.
        unit: targets or items.
        sign: how their number is compared.
        limit: with what.
    """

    text: str
    unit: str
    sign: str
    limit: Fraction

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read one.

        Raises:
            InputError: it is none.
        """
        match = _CONDITION.fullmatch(text.strip()) if isinstance(text, str) else None
        if match is None:
            raise InputError(f"`where` compares the data's size with a number, such as items <= 10000, not {text!r}")
        _check_unit(match["unit"])
        return cls(match[0], match["unit"], match["sign"], Fraction(match["limit"]))

    def holds(self, size: DataSize) -> bool:
        """Whether it holds for data of that size."""
        return _COMPARISONS[self.sign](size.of(self.unit), self.limit)


def _near_unit(text: str) -> bool:
    return nearest(text.strip(), UNITS) is not None


def _check_unit(unit: str) -> None:
    if unit not in UNITS:
        raise InputError(f"'{unit}' is no size of the data{did_you_mean(unit, UNITS)}")
