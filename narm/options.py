"""What an option is: a pydantic field with help, reason and bounds, and the table of all of them.

The options themselves are in `narm.config`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from narm.errors import InputError
from narm.text.suggestion import did_you_mean
from narm.text.validation import explain


def option(
    default: Any,
    description: str,
    *,
    reason: str = "",
    searchable: bool = False,
    recbole: str | None = None,
    **bounds: float,
) -> Any:
    """A config field with what its help text, its errors and the search spaces need to know.

    Args:
        default: the value when nothing is said.
        description: what it does, with its unit.
        reason: why this default.
        searchable: whether a search space may name it.
        recbole: RecBole's name of it, where that is another one.
        bounds: `ge`, `gt`, `le`, `lt`, as in pydantic.
    """
    extra = {"reason": reason, "searchable": searchable, "recbole": recbole}
    field: FieldInfo = Field(default, description=description, json_schema_extra=extra, **bounds)  # type: ignore[call-overload]
    if bounds:
        field.metadata.append(BeforeValidator(not_boolean))
    return field


def not_boolean(value: object) -> object:
    """Python's True is a 1: a YAML file's `epochs: yes` would train for one epoch."""
    if isinstance(value, bool):
        raise PydanticCustomError("number_expected", "input should be a number")
    return value


@dataclass(frozen=True, slots=True)
class Option:
    """One option as the command line and the search spaces see it."""

    name: str
    section: str
    info: FieldInfo

    @property
    def default(self) -> Any:
        """The value when nothing is said."""
        return self.info.default

    @property
    def description(self) -> str:
        """What it does, with its unit."""
        return str(self.info.description)

    @property
    def reason(self) -> str:
        """Why this default, or nothing."""
        return str(self._extra["reason"])

    @property
    def searchable(self) -> bool:
        """Whether a search space may name it."""
        return bool(self._extra["searchable"])

    @property
    def recbole(self) -> str | None:
        """RecBole's name of it, where that is another one."""
        return None if self._extra["recbole"] is None else str(self._extra["recbole"])

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of its value, if that is a mapping."""
        kinds = (self.info.annotation, *get_args(self.info.annotation))
        return tuple(
            key for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel) for key in kind.model_fields
        )

    @property
    def _extra(self) -> dict[str, Any]:
        extra = self.info.json_schema_extra
        assert isinstance(extra, dict)
        return extra


class OptionTable(Mapping[str, Option]):
    """Every option by its name, in the order of the sections."""

    def __init__(self, sections: Mapping[str, type[BaseModel]]) -> None:
        """Take the sections by name; a field of theirs is an option."""
        self._options = {
            name: Option(name, section, info)
            for section, model in sections.items()
            for name, info in model.model_fields.items()
        }
        self._spellings = {name: name for name in self._options}
        self._spellings |= {o.recbole.lower(): o.name for o in self._options.values() if o.recbole}
        self._adapters: dict[str, TypeAdapter[Any]] = {}  # built when first needed: each takes a while

    def __getitem__(self, name: str) -> Option:
        return self._options[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._options)

    def __len__(self) -> int:
        return len(self._options)

    def canonical(self, name: str) -> str:
        """The option's name for any accepted spelling: `MAX_ITEM_LIST_LENGTH`, `max-item-list-length`."""
        spelling = name.replace("-", "_").lower()
        return self._spellings.get(spelling, spelling)

    def find(self, name: str) -> Option:
        """The option of that name, in any accepted spelling.

        Raises:
            InputError: there is no such option; the message suggests the nearest name.
        """
        found = self._options.get(self.canonical(name))
        if found is None:
            raise InputError(f"unknown option '{name}'{did_you_mean(name, self)}")
        return found

    def check(self, name: str, value: object) -> Any:
        """One option's value, converted to its type.

        Raises:
            InputError: it has the wrong type or lies outside the option's bounds.
        """
        found = self.find(name)
        try:
            return self._adapter(found).validate_python(value)
        except ValidationError as error:
            raise self.as_input_error(error, found.name) from None

    def as_input_error(self, error: ValidationError, name: str | None = None) -> InputError:
        """What pydantic found wrong with one option's value, or with a section's, in one line."""
        path = error.errors(include_url=False)[0]["loc"]
        found = self._options.get(name or "".join(map(str, path[:1])))
        return InputError(explain(error, name, known=found.keys if found else ()))

    def _adapter(self, option: Option) -> TypeAdapter[Any]:
        if option.name not in self._adapters:
            annotated: Any = Annotated[option.info.annotation, option.info]
            self._adapters[option.name] = TypeAdapter(annotated, config=ConfigDict(allow_inf_nan=False))
        return self._adapters[option.name]
