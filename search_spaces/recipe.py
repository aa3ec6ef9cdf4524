"""Recipes: one configuration each, good on data of many kinds, that a search tries right after the default one.

learning_rate: 0.005
dropout_probs: [0.4, 0.3]
train_batch_size: targets / 300 at least 128 at most 512        # numbers may depend on the data, as in a space
loss_type: {value: sampled_softmax, where: items > 20000}       # elsewhere the recipe says nothing about it
hidden_size: [{value: 128, where: items > 20000}, 96]           # the first that is for these data
softmax_samples: {value: items / 10, when: {loss_type: sampled_softmax}}

`when` is about other options, as they are in the configuration with the lines above.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from narm.config import OPTIONS, Config
from narm.errors import InputError
from narm.text.suggestion import did_you_mean
from narm.text.text_file import read_text
from narm.text.yaml_file import YamlFile, parse_yaml
from search_spaces.axis import Axis
from search_spaces.by_data import Choice
from search_spaces.data_size import Amount, DataSize

RECIPES = Path(__file__).parent / "recipes"

_CHOICE_KEYS = ("value", "where")
_KEYS = (*_CHOICE_KEYS, "when")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A configuration to try early, as far as it is not what a person has fixed.

    Attributes:
        name: of the bundled recipe, or the file's.
        options: values by the names of options.
    """

    name: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Line:
    """What a recipe says about one option: the first value that is for the data, where its conditions hold."""

    axis: Axis
    choices: tuple[Choice, ...]
    when: Mapping[str, tuple[object, ...]]

    @property
    def needs_data(self) -> bool:
        """Whether a value depends on the data."""
        return any(choice.where is not None or _is_amount(self.axis, choice.value) for choice in self.choices)

    def applies(self, flat: Mapping[str, Any]) -> bool:
        """Whether the other options of a flat config are as `when` says."""
        return all(flat[option] in values for option, values in self.when.items())

    def values(self, size: DataSize | None) -> Iterator[Any]:
        """The values that are for data of that size."""
        for choice in self.choices:
            if size is None or choice.is_for(size):
                yield _value(self.axis, choice.value, size)


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """A recipe as it is written, for data of any size.

    Attributes:
        name: of the bundled recipe, or the file's.
        document: the file.
        lines: what it says, by key.
    """

    name: str
    document: YamlFile
    lines: Mapping[str, _Line]

    @property
    def needs_data(self) -> bool:
        """Whether something in it depends on the data."""
        return any(line.needs_data for line in self.lines.values())

    def for_data(
        self, size: DataSize | None, config: Config, *, fixed: Collection[str], used: Collection[str]
    ) -> Recipe:
        """The recipe for data of that size.

        Args:
            size: of the data; None: not known, which does where nothing depends on it.
            config: the default configuration of the search.
            fixed: options that a person has given a value, which is kept.
            used: options that the model uses; what the recipe says about others is left out.
        Raises:
            InputError: a value is out of the option's bounds for such data.
        """
        flat, options = config.flat(), {}
        for key, line in self.lines.items():
            option = line.axis.option
            if option in fixed or option not in used or not line.applies(flat):
                continue
            with self.document.at(key):
                values = list(line.values(size))
            if values:
                flat[option] = options[option] = values[0]
        return Recipe(self.name, options)


def find_recipe(path_or_name: str) -> RecipeFile:
    """Read a bundled recipe by its name, or a YAML file.

    Raises:
        InputError: no such recipe or file, or a mistake in it; file, line and key are named.
    """
    bundled = {path.stem: path for path in sorted(RECIPES.glob("*.yaml"))}
    path = bundled.get(path_or_name, Path(path_or_name))
    if path.suffix not in (".yaml", ".yml"):
        raise InputError(
            f"no recipe '{path_or_name}'{did_you_mean(path_or_name, bundled)} (or none, or a file that ends in .yaml)"
        )
    shown = f"recipes/{path.name}" if path.parent == RECIPES else str(path)
    return read_recipe(path_or_name if path_or_name in bundled else path.name, shown, read_text(path))


def read_recipe(name: str, file: str, text: str) -> RecipeFile:
    """The recipe that the text of a file describes.

    Raises:
        InputError: a mistake in it; `file`, the line and the key are named.
    """
    document = parse_yaml(text, file)
    lines: dict[str, _Line] = {}
    for key, content in document.values.items():
        with document.at(key):
            axis = Axis.parse(key)
            if axis.position is not None:
                raise InputError(f"{key}: a recipe has whole options: write {axis.option}: [a, b]")
            if twice := next((other for other, line in lines.items() if line.axis == axis), None):
                raise InputError(f"{axis.option} a second time: line {document.line(twice)} gives it too")
            lines[key] = _read_line(axis, content)
    return RecipeFile(name, document, lines)


def _read_line(axis: Axis, content: Any) -> _Line:
    option = axis.option
    several = isinstance(content, list) and any(isinstance(entry, dict) for entry in content)
    when = content.get("when", {}) if isinstance(content, dict) else {}
    if not isinstance(when, dict):
        raise InputError(f"{option}: `when` names other options and their values: {{loss_type: sampled_softmax}}")
    try:
        choices = tuple(
            Choice.parse(entry, _KEYS if entry is content else _CHOICE_KEYS)
            for entry in (content if several else [content])
        )
        for choice in choices:
            if _is_amount(axis, choice.value):
                Amount.parse(str(choice.value))
    except InputError as error:
        raise InputError(f"{option}: {error}") from None
    for choice in choices:
        if not _is_amount(axis, choice.value):
            _check(option, choice.value)
    return _Line(axis, choices, dict(_condition(name, values) for name, values in when.items()))


def _condition(name: str, values: object) -> tuple[str, tuple[object, ...]]:
    """An option, by its own name, and its values."""
    option = OPTIONS.find(name).name
    return option, tuple(_check(option, value) for value in (values if isinstance(values, list) else [values]))


def _is_amount(axis: Axis, value: object) -> bool:
    return axis.number is not None and Amount.is_meant(value)


def _value(axis: Axis, value: Any, size: DataSize | None) -> Any:
    if size is not None and _is_amount(axis, value):
        return _check(axis.option, Amount.parse(value).value(size, axis.number or float))
    return _check(axis.option, value)


def _check(option: str, value: object) -> Any:
    """The value, if the option takes it, in JSON types as a flat config has it."""
    checked = OPTIONS.check(option, value)
    return list(checked) if isinstance(checked, tuple) else checked
