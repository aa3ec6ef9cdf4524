"""What a search space can vary: a searchable option, or one position of an option that is a tuple."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from narm.config import OPTIONS
from narm.errors import InputError
from narm.text.suggestion import did_you_mean

Value = bool | int | float | str | None
"""What Optuna stores as a parameter's value; a tuple is held as compact JSON, `[0.25,0.5]`."""

_POSITION = re.compile(r"(?P<option>.*)\[(?P<position>\d+)\]")


@dataclass(frozen=True, slots=True)
class Axis:
    """A searchable option, or one position of it: `learning_rate`, `dropout_probs[0]`."""

    option: str
    position: int | None = None

    @classmethod
    def parse(cls, name: str) -> Axis:
        """Read the name of a parameter, in any spelling the config knows.

        Raises:
            InputError: no such option (the nearest is named) or position, or one that is never searched.
        """
        match = _POSITION.fullmatch(name)
        spelling = match["option"] if match else name
        searchable = [known.name for known in OPTIONS.values() if known.searchable]
        if OPTIONS.canonical(spelling) not in OPTIONS:
            raise InputError(f"unknown option '{spelling}'{did_you_mean(spelling, searchable)}")
        found = OPTIONS.find(spelling)
        if not found.searchable:
            raise InputError(f"'{found.name}' is fixed, never searched; searchable: {', '.join(searchable)}")
        axis = cls(found.name, int(match["position"]) if match else None)
        if axis.position is not None and axis.position >= axis.length:
            raise InputError(f"'{name}': {axis.option} has {_positions(axis.length)}")
        return axis

    @property
    def name(self) -> str:
        """As the files, the study database and the reports spell it."""
        return self.option if self.position is None else f"{self.option}[{self.position}]"

    @property
    def length(self) -> int:
        """Positions of the option; 0 when it is not a tuple."""
        return len(get_args(self._annotation)) if get_origin(self._annotation) is tuple else 0

    @property
    def number(self) -> type[int] | type[float] | None:
        """The type of its numbers, None when it has no order and so takes no range."""
        annotation = self._annotation if self.position is None else get_args(self._annotation)[self.position]
        kinds = (annotation, *get_args(annotation))
        return int if int in kinds else float if float in kinds else None

    def encode(self, value: object) -> Value:
        """A value as Optuna stores it, checked against the option's type and bounds.

        Raises:
            InputError: wrong type, or out of bounds.
        """
        if self.position is not None:
            whole = list(OPTIONS.find(self.option).default)
            whole[self.position] = value
            at_position: Value = OPTIONS.check(self.option, whole)[self.position]
            return at_position
        checked = OPTIONS.check(self.option, value)
        return json.dumps(checked, separators=(",", ":")) if self.length else checked

    def read(self, flat: Mapping[str, Any]) -> Value:
        """Its value in a flat config."""
        value = flat[self.option]
        return self.encode(value if self.position is None else value[self.position])

    def write(self, value: Value, flat: Mapping[str, Any]) -> Any:
        """The option's value in the config, once this axis has `value`; `flat` has the other positions."""
        if self.position is not None:
            whole = list(flat[self.option])
            whole[self.position] = value
            return whole
        return json.loads(value) if self.length and isinstance(value, str) else value

    @property
    def _annotation(self) -> Any:
        return OPTIONS.find(self.option).info.annotation


def _positions(length: int) -> str:
    return f"positions 0 to {length - 1}" if length else "no positions"
