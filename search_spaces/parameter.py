"""One parameter of a search space: an axis, its Optuna distribution, and when it applies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeGuard

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from narm.errors import InputError
from search_spaces.axis import Axis, Value

Distribution = CategoricalDistribution | IntDistribution | FloatDistribution

Params = dict[str, Value]
"""A point of a space: values by parameter name, without the parameters that do not apply there."""


Side = Literal["lower", "upper"]

CLOSE = 0.02
"""Share of a range that counts as its end."""

FINEST = 1_000_000_000
"""Steps in a range, beyond which it is as good as continuous (and beyond Optuna's decimals some way further)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """An axis of the space.

    Attributes:
        axis: what it varies.
        distribution: its values.
        line: in the file.
        when: other parameters, and the values of each at which this one applies.
        by_data: what of it depends on the data, as it is written; empty: nothing.
    """

    axis: Axis
    distribution: Distribution
    line: int
    when: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    by_data: str = ""

    @property
    def name(self) -> str:
        """The axis's name, which is also the parameter's in the Optuna study."""
        return self.axis.name

    @property
    def size(self) -> int | None:
        """Number of values; None when continuous."""
        distribution = self.distribution
        if isinstance(distribution, CategoricalDistribution):
            return len(distribution.choices)
        low, high, step = distribution.low, distribution.high, distribution.step
        if step is None:
            return 1 if low == high else None
        return round((high - low) / step) + 1

    def values(self) -> Sequence[Value]:
        """Every value, in order; the parameter must be finite."""
        distribution = self.distribution
        if isinstance(distribution, CategoricalDistribution):
            return distribution.choices
        if isinstance(distribution, IntDistribution):
            return range(distribution.low, distribution.high + 1, distribution.step)
        if distribution.step is None:
            return (distribution.low,)
        # Decimal: 0.1 + 2 * 0.1 is 0.3, not 0.30000000000000004
        low, step = Decimal(str(distribution.low)), Decimal(str(distribution.step))
        return [float(low + step * index) for index in range(self.size or 0)]

    def corners(self) -> Sequence[Value]:
        """Every choice, or both ends of a range."""
        if isinstance(self.distribution, CategoricalDistribution):
            return self.distribution.choices
        return tuple(dict.fromkeys((self.distribution.low, self.distribution.high)))

    def end(self, value: Value) -> Side | None:
        """Which end of the range, or of choices that are numbers, a value is or is close to; None in between.

        Where the option itself ends there (a dropout of 0) it is none: nothing lies beyond.
        """
        ends = [corner for corner in self.corners() if _is_number(corner)]
        if not _is_number(value) or len(ends) < max(2, len(self.corners())):
            return None
        low, high, at = _on_scale(self.distribution, min(ends), max(ends), value)
        if at <= low + CLOSE * (high - low):
            return "lower" if self._goes_on(min(ends), -1) else None
        if at >= high - CLOSE * (high - low):
            return "upper" if self._goes_on(max(ends), 1) else None
        return None

    def _goes_on(self, end: float, way: int) -> bool:
        """Whether the option takes values beyond the end."""
        beyond = end + way if self.axis.number is int else end + way * abs(end or 1) * 1e-3
        try:
            self.axis.encode(beyond)
        except InputError:
            return False
        return True

    def __contains__(self, value: Value) -> bool:
        distribution = self.distribution
        if isinstance(distribution, CategoricalDistribution):
            return value in distribution.choices
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        if not distribution.low <= value <= distribution.high:
            return False
        steps = (value - distribution.low) / distribution.step if distribution.step else 0
        return abs(steps - round(steps)) < 1e-8  # Optuna's tolerance

    def applies(self, params: Mapping[str, Value]) -> bool:
        """Whether the parameter applies where the parameters it depends on have these values."""
        return all(parent in params and params[parent] in values for parent, values in self.when.items())

    def describe(self) -> str:
        """The values in a few words: `1, 2` or `0.0001 to 0.01`."""
        distribution = self.distribution
        if isinstance(distribution, CategoricalDistribution):
            return ", ".join(str(choice) for choice in distribution.choices)
        steps = f" in steps of {distribution.step}" if distribution.step not in (None, 1) else ""
        return f"{distribution.low} to {distribution.high}{steps}"


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _on_scale(distribution: Distribution, *values: float) -> Sequence[float]:
    """The values as distances on the distribution's scale, which may be logarithmic."""
    logarithmic = not isinstance(distribution, CategoricalDistribution) and distribution.log
    return [math.log(value) for value in values] if logarithmic else values


def choices(axis: Axis, values: Sequence[object]) -> CategoricalDistribution:
    """A categorical distribution over the option's values.

    Raises:
        InputError: none, one of them twice, or one that the option does not take.
    """
    if not values:
        raise InputError(f"{axis.name}: no choices")
    encoded: list[Value] = []
    for value in values:
        checked = axis.encode(value)
        if checked in encoded:
            raise InputError(f"{axis.name}: the choice {checked} appears twice")
        encoded.append(checked)
    return CategoricalDistribution(encoded)


def number_range(
    axis: Axis, low: object, high: object, *, log: bool = False, step: float | None = None
) -> IntDistribution | FloatDistribution:
    """A range of numbers, both ends included; whole numbers where the option takes only these.

    Raises:
        InputError: an option without order, ends out of its bounds or the wrong way round, a logarithm of
            0 or less, a step that does not lead from `low` to `high`, or a step on a logarithmic scale.
    """
    if axis.number is None:
        raise InputError(f"{axis.name} takes no range: list its choices, [a, b]")
    first, last = _end(axis, low), _end(axis, high)
    if first > last:
        raise InputError(f"{axis.name}: low {first} is above high {last}")
    if log and first <= 0:
        raise InputError(f"{axis.name}: low {first} has no logarithm: it must be above 0")
    if step is not None:
        _check_step(axis, first, last, step, log=log)
    if axis.number is int:
        return IntDistribution(int(first), int(last), log=log, step=int(step or 1))
    return FloatDistribution(first, last, log=log, step=step)


def _end(axis: Axis, value: object) -> float:
    checked = axis.encode(value)
    if not isinstance(checked, (int, float)):
        raise InputError(f"{axis.name}: {value} is not a number: a range goes from number to number")
    return checked


def _check_step(axis: Axis, low: float, high: float, step: float, *, log: bool) -> None:
    if log:
        raise InputError(f"{axis.name}: step and log exclude each other: leave out one")
    if step <= 0:
        raise InputError(f"{axis.name}: step {step} must be above 0")
    if axis.number is int and step != int(step):
        raise InputError(f"{axis.name}: step {step} must be a whole number, as its values are")
    start, width, by = Fraction(str(low)), Fraction(str(high)) - Fraction(str(low)), Fraction(str(step))
    if width / by > FINEST:
        raise InputError(f"{axis.name}: step {step} is too fine to count: leave it out")
    if width % by:
        nearest = axis.number(start + width // by * by) if axis.number else low
        raise InputError(f"{axis.name}: steps of {step} from {low} miss {high}; the last one below is {nearest}")
