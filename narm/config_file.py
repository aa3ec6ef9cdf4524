"""Reads a `--config` file: YAML with the options of `narm.config`, in our spelling or RecBole's.

A file written for RecBole's NARM is accepted as it is where it means the same here, and refused where not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from narm.config import OPTIONS, SECTIONS
from narm.errors import InputError
from narm.model_options import used_options
from narm.models import ModelName
from narm.recbole_eval_args import options_of_eval_args
from narm.recbole_keys import RECBOLE_KEYS, Fixed, Ignored
from narm.text.suggestion import nearest
from narm.text.text_file import read_text
from narm.text.yaml_file import parse_yaml

_INTERVALS = ("user_inter_num_interval", "item_inter_num_interval")


@dataclass(frozen=True, slots=True)
class OptionsFile:
    """What a config file says.

    Attributes:
        values: option values by our names, each of its type and within its bounds.
        notes: one line for each key that has no effect, with the reason.
        line_of: the line of each option, from 1.
        path: the file.
    """

    values: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    line_of: dict[str, int] = field(default_factory=dict)
    path: Path | None = field(default=None, compare=False)

    def for_model(self, model: ModelName) -> OptionsFile:
        """What the file says to a model: options that it does not use are noted, and left out.

        One file may thus serve several models, as it may not on the command line.
        """
        used = used_options(model)
        unused = [name for name in self.values if name not in used]
        return replace(
            self,
            values={name: value for name, value in self.values.items() if name in used},
            notes=self.notes
            + [f"{self.path}:{self.line_of[name]}: {name} has no effect: {model} does not use it" for name in unused],
        )


def read_config(path: Path) -> OptionsFile:
    """Read the options of a YAML file.

    Raises:
        InputError: the file cannot be read, a key is unknown (the nearest is named), or a value does not fit;
            file, line and key are named.
    """
    document = parse_yaml(read_text(path), str(path))
    result = OptionsFile(path=path)
    for key, value in document.values.items():
        with document.at(key):
            rule = RECBOLE_KEYS.get(key)
            if isinstance(rule, Ignored):
                result.notes.append(f"{path}:{document.line(key)}: {key} has no effect: {rule.reason}")
            elif isinstance(rule, Fixed):
                _check_fixed(key, value, rule)
            else:
                for name, given in _options(key, value).items():
                    _add(result, name, given, document.line(key))
    return result


def _add(result: OptionsFile, name: str, value: Any, line: int) -> None:
    if name in result.values:
        raise InputError(f"{name} a second time: line {result.line_of[name]} gives it too")
    result.values[name] = OPTIONS.check(name, value)
    result.line_of[name] = line


def _options(key: str, value: Any) -> Mapping[str, Any]:
    """The options that a key sets."""
    if key == "eval_args":
        return options_of_eval_args(value)
    name = OPTIONS.canonical(key)
    if name not in OPTIONS:
        raise InputError(_unknown(key, value))
    if name in _INTERVALS and value is None:
        return {}  # RecBole's null: no filter, which is the default
    return {name: value}


def _unknown(key: str, value: Any) -> str:
    """What is wrong with a key that is no option, and what it may have meant; there are too many to list them."""
    if key in SECTIONS and isinstance(value, dict):
        return f"{key}: options are not in sections: write its lines without it, at the left edge"
    near = nearest(key, (*OPTIONS, "eval_args"))
    meant = f"did you mean '{near}'?" if near else "--help-options lists them; what a search does is said by its flags"
    return f"unknown option '{key}'; {meant}"


def _check_fixed(key: str, value: Any, rule: Fixed) -> None:
    same = value.lower() == rule.value.lower() if isinstance(value, str) and isinstance(rule.value, str) else False
    if value is not None and value != rule.value and not same:
        raise InputError(f"{key}: {value!r} is not possible, only {rule.value!r}: {rule.instead}")
