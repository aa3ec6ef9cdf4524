"""Search spaces in YAML: ranges and choices, for whole options or for one position, and conditions.

learning_rate: {low: 1e-4, high: 1e-2, log: true}
hidden_size: {low: 32, high: 256, step: 32}       # whole numbers, since the option takes these
n_layers: [1, 2]
dropout_probs: [[0.25, 0.5], [0.2, 0.2]]          # or dropout_probs[0]: {low: 0, high: 0.6}
train_batch_size: {low: 32, high: targets / 50 at least 512, log: true}
loss_type: [{value: CE, where: items <= 10000}, sampled_softmax]
softmax_samples: {low: 256, high: items / 4, log: true, when: {loss_type: sampled_softmax}}
softmax_alpha: {choices: [0.5, 0.75], when: {loss_type: [sampled_softmax]}}

`when` is about other parameters, `where` about the data.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from narm.errors import InputError
from narm.text.suggestion import did_you_mean
from narm.text.yaml_file import YamlFile, parse_yaml
from search_spaces.axis import Axis, Value
from search_spaces.by_data import choices_in, range_for, texts
from search_spaces.data_size import DataSize
from search_spaces.parameter import Distribution, Parameter, choices, number_range

_CHOICE_KEYS = ("choices", "when")
_RANGE_KEYS = ("low", "high", "log", "step", "when")


@dataclass(frozen=True, slots=True)
class YamlSpace:
    """A space in YAML, as it is written: for data of any size.

    Attributes:
        document: the file.
        axes: what each of its keys varies.
        by_data: what of each key depends on the data, as it is written; without keys of which nothing does.
    """

    document: YamlFile
    axes: Mapping[str, Axis]
    by_data: Mapping[str, str]

    def parameters(self, size: DataSize | None) -> list[Parameter]:
        """As `search_spaces.space_file.Written` says."""
        for key in self.by_data if size is None else ():
            with self.document.at(key):
                raise InputError(f"{key} depends on the data ({self.by_data[key]}), whose size is not known here")
        found = {key: self._parameter(key, size) for key in self.axes}
        by_name = {parameter.name: parameter for parameter in found.values()}
        return _without_impossible([replace(found[key], when=self._conditions(key, by_name)) for key in found])

    def _parameter(self, key: str, size: DataSize | None) -> Parameter:
        axis, by_data = self.axes[key], self.by_data.get(key, "")
        with self.document.at(key), _about(by_data, size):
            distribution = _distribution(axis, self.document.values[key], size)
        return Parameter(axis=axis, distribution=distribution, line=self.document.line(key), by_data=by_data)

    def _conditions(self, key: str, by_name: Mapping[str, Parameter]) -> dict[str, tuple[Value, ...]]:
        definition = self.document.values[key]
        if not isinstance(definition, dict) or "when" not in definition:
            return {}
        when = definition["when"]
        with self.document.at(key, "when"):
            if not isinstance(when, dict) or not when:
                raise InputError(
                    f"{key}: `when` names other parameters and their values: {{loss_type: BPR}}; a choice that depends "
                    "on the data has a `where`"
                )
            return dict(self._condition(key, parent, values, by_name) for parent, values in when.items())

    def _condition(
        self, key: str, parent: str, values: Any, by_name: Mapping[str, Parameter]
    ) -> tuple[str, tuple[Value, ...]]:
        """The values of another parameter at which this one applies: of those written, the ones for these data."""
        if parent not in by_name:
            nearest = did_you_mean(parent, by_name)
            raise InputError(f"{key}: depends on '{parent}', which this space does not vary{nearest}")
        parameter = by_name[parent]
        if parameter.size is None:
            raise InputError(f"{key}: depends on {parent}, a continuous range: only choices and steps can be compared")
        allowed = _values(parameter.axis, values)
        if not allowed:
            raise InputError(f"{key}: no value of {parent} to apply at; it is one of {parameter.describe()}")
        for value in allowed:
            if value not in parameter and not self._is_for_other_data(value, parameter):
                raise InputError(f"{key}: {parent} is never {value}; it is one of {parameter.describe()}")
        return parent, tuple(value for value in allowed if value in parameter)

    def _is_for_other_data(self, value: Value, parameter: Parameter) -> bool:
        """Whether a value that a parameter lacks may be one of it where the data are larger or smaller."""
        if not parameter.by_data:
            return False
        key = next(key for key, axis in self.axes.items() if axis == parameter.axis)
        written = choices_in(self.document.values[key])
        return not written or value in [parameter.axis.encode(choice.value) for choice in written]


def parse_yaml_space(text: str, file: str) -> YamlSpace:
    """Read a space in YAML; `file` is named in errors.

    Raises:
        InputError: anything that is not a parameter, with its line and the nearest valid name.
    """
    document = parse_yaml(text, file)
    axes, by_data = {}, {}
    for key, definition in document.values.items():
        if isinstance(definition, dict):
            _check_keys(document, key)
        with document.at(key):
            axes[key] = Axis.parse(key)
            if written := _by_data(axes[key], definition):
                by_data[key] = written
            else:
                _distribution(axes[key], definition, None)  # a mistake is found now, not when the data are read
    return YamlSpace(document, axes, by_data)


def _by_data(axis: Axis, definition: object) -> str:
    try:
        return "; ".join(texts(definition))
    except InputError as error:
        raise InputError(f"{axis.name}: {error}") from None


@contextmanager
def _about(by_data: str, size: DataSize | None) -> Iterator[None]:
    """Add to an error what of a definition depends on the data, and how large these are."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{error} ({by_data}; the data have {size})" if by_data else str(error)) from None


def _without_impossible(parameters: list[Parameter]) -> list[Parameter]:
    """Leave out the parameters whose conditions cannot hold for these data, and those that depend on such."""
    names = {parameter.name for parameter in parameters}
    left = [p for p in parameters if all(parent in names and values for parent, values in p.when.items())]
    return left if len(left) == len(parameters) else _without_impossible(left)


def _distribution(axis: Axis, definition: Any, size: DataSize | None) -> Distribution:
    if isinstance(definition, list):
        return _choices(axis, definition, size)
    if not isinstance(definition, dict):
        raise InputError(f"{axis.name}: {definition!r} is neither choices, [a, b], nor a range, {{low: a, high: b}}")
    if "choices" in definition:
        if not isinstance(definition["choices"], list):
            raise InputError(f"{axis.name}: choices must be a list, [a, b]")
        return _choices(axis, definition, size)
    if missing := {"low", "high"} - definition.keys():
        raise InputError(f"{axis.name}: {' and '.join(sorted(missing))} missing: a range is {{low: a, high: b}}")
    numbers = definition if size is None else range_for(axis, definition, size)
    return number_range(axis, numbers["low"], numbers["high"], log=_log(axis, numbers), step=_step(axis, numbers))


def _choices(axis: Axis, definition: Any, size: DataSize | None) -> Distribution:
    """The choices that there are for data of that size; None: for any."""
    written = choices_in(definition)
    every = choices(axis, [choice.value for choice in written])
    if size is None:
        return every
    left = [choice.value for choice in written if choice.is_for(size)]
    if not left:
        raise InputError(f"{axis.name}: no choice is left")
    return choices(axis, left)


def _log(axis: Axis, definition: Mapping[str, Any]) -> bool:
    log = definition.get("log", False)
    if not isinstance(log, bool):
        raise InputError(f"{axis.name}: log must be true or false, not {log!r}")
    return log


def _step(axis: Axis, definition: Mapping[str, Any]) -> float | None:
    step = definition.get("step")
    number = isinstance(step, (int, float)) and not isinstance(step, bool) and abs(step) < math.inf
    if "step" in definition and not number:
        raise InputError(f"{axis.name}: step must be a number, not {step!r}")
    return step


def _check_keys(document: YamlFile, key: str) -> None:
    definition = document.values[key]
    known = _CHOICE_KEYS if "choices" in definition else _RANGE_KEYS
    for name in definition:
        if name not in known:
            with document.at(key, name):
                nearest = did_you_mean(name, known if "choices" in definition else (*known, "choices"))
                raise InputError(f"{key}: unknown key '{name}'{nearest}")


def _values(axis: Axis, values: Any) -> tuple[Value, ...]:
    """One value or several: `[0.2, 0.5]` is one value of `dropout_probs`, `[CE, BPR]` two of `loss_type`."""
    several = isinstance(values, list) and not (axis.length and values and not isinstance(values[0], (list, str)))
    return tuple(axis.encode(value) for value in (values if several else [values]))
