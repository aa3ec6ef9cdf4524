"""Search spaces in YAML: ranges and choices, for whole options or for one position, and conditions.

learning_rate: {low: 1e-4, high: 1e-2, log: true}
hidden_size: {low: 32, high: 256, step: 32}       # whole numbers, since the option takes these
n_layers: [1, 2]
dropout_probs: [[0.25, 0.5], [0.2, 0.2]]          # or dropout_probs[0]: {low: 0, high: 0.6}
loss_type: [CE, sampled_softmax]
softmax_samples: {low: 256, high: 4096, log: true, when: {loss_type: sampled_softmax}}
softmax_alpha: {choices: [0.5, 0.75], when: {loss_type: [sampled_softmax]}}
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from narm.errors import InputError
from narm.text.suggestion import did_you_mean
from narm.text.yaml_file import YamlFile, parse_yaml
from search_spaces.axis import Axis, Value
from search_spaces.parameter import Distribution, Parameter, choices, number_range

_CHOICE_KEYS = ("choices", "when")
_RANGE_KEYS = ("low", "high", "log", "step", "when")


def parse_yaml_space(text: str, file: str) -> list[Parameter]:
    """Read a space in YAML; `file` is named in errors.

    Raises:
        InputError: anything that is not a parameter, with its line and the nearest valid name.
    """
    document = parse_yaml(text, file)
    parameters = {key: _parameter(document, key) for key in document.values}
    by_name = {parameter.name: parameter for parameter in parameters.values()}
    return [
        dataclasses.replace(parameter, when=_conditions(document, key, by_name))
        for key, parameter in parameters.items()
    ]


def _parameter(document: YamlFile, key: str) -> Parameter:
    definition = document.values[key]
    if isinstance(definition, dict):
        _check_keys(document, key)
    with document.at(key):
        axis = Axis.parse(key)
        return Parameter(axis=axis, distribution=_distribution(axis, definition), line=document.line(key))


def _distribution(axis: Axis, definition: Any) -> Distribution:
    if isinstance(definition, list):
        return choices(axis, definition)
    if not isinstance(definition, dict):
        raise InputError(f"{axis.name}: {definition!r} is neither choices, [a, b], nor a range, {{low: a, high: b}}")
    if "choices" in definition:
        if not isinstance(definition["choices"], list):
            raise InputError(f"{axis.name}: choices must be a list, [a, b]")
        return choices(axis, definition["choices"])
    if missing := {"low", "high"} - definition.keys():
        raise InputError(f"{axis.name}: {' and '.join(sorted(missing))} missing: a range is {{low: a, high: b}}")
    return number_range(
        axis, definition["low"], definition["high"], log=_log(axis, definition), step=_step(axis, definition)
    )


def _log(axis: Axis, definition: dict[str, Any]) -> bool:
    log = definition.get("log", False)
    if not isinstance(log, bool):
        raise InputError(f"{axis.name}: log must be true or false, not {log!r}")
    return log


def _step(axis: Axis, definition: dict[str, Any]) -> float | None:
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


def _conditions(document: YamlFile, key: str, by_name: dict[str, Parameter]) -> dict[str, tuple[Value, ...]]:
    definition = document.values[key]
    if not isinstance(definition, dict) or "when" not in definition:
        return {}
    when = definition["when"]
    with document.at(key, "when"):
        if not isinstance(when, dict) or not when:
            raise InputError(f"{key}: `when` names other parameters and their values: {{loss_type: BPR}}")
        return dict(_condition(key, parent, values, by_name) for parent, values in when.items())


def _condition(key: str, parent: str, values: Any, by_name: dict[str, Parameter]) -> tuple[str, tuple[Value, ...]]:
    if parent not in by_name:
        raise InputError(f"{key}: depends on '{parent}', which this space does not vary{did_you_mean(parent, by_name)}")
    parameter = by_name[parent]
    if parameter.size is None:
        raise InputError(f"{key}: depends on {parent}, a continuous range: only choices and steps can be compared")
    allowed = _values(parameter.axis, values)
    if not allowed:
        raise InputError(f"{key}: no value of {parent} to apply at; it is one of {parameter.describe()}")
    for value in allowed:
        if value not in parameter:
            raise InputError(f"{key}: {parent} is never {value}; it is one of {parameter.describe()}")
    return parent, allowed


def _values(axis: Axis, values: Any) -> tuple[Value, ...]:
    """One value or several: `[0.2, 0.5]` is one value of `dropout_probs`, `[CE, BPR]` two of `loss_type`."""
    several = isinstance(values, list) and not (axis.length and values and not isinstance(values[0], (list, str)))
    return tuple(axis.encode(value) for value in (values if several else [values]))
