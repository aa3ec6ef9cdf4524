"""A search space as it is written: bundled or a person's own, for data of any size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from narm.errors import InputError
from narm.text.suggestion import did_you_mean
from narm.text.text_file import read_text
from search_spaces.axis import Axis
from search_spaces.data_size import DataSize
from search_spaces.parameter import Parameter
from search_spaces.recbole import parse_hyper
from search_spaces.yaml_space import parse_yaml_space


class Written(Protocol):
    """What a file says, in whichever grammar, for data of any size."""

    @property
    def axes(self) -> Mapping[str, Axis]:
        """What each of its keys varies."""

    @property
    def by_data(self) -> Mapping[str, str]:
        """What of each key depends on the data, as it is written; without keys of which nothing does."""

    def parameters(self, size: DataSize | None) -> list[Parameter]:
        """The parameters for data of that size, without those that can never apply there.

        Args:
            size: of the data; None: not known, which does where nothing depends on it.
        Raises:
            InputError: a range is empty for such data, or no choice is left; conditions are wrong; or something depends
                on data whose size is not known.
        """


@dataclass(frozen=True, slots=True)
class HyperSpace:
    """A space in RecBole's grammar, which knows nothing of the data."""

    found: Sequence[Parameter]
    by_data: Mapping[str, str] = field(default_factory=dict)

    @property
    def axes(self) -> dict[str, Axis]:
        """By line, for a name may wrongly be there twice."""
        return {str(parameter.line): parameter.axis for parameter in self.found}

    def parameters(self, size: DataSize | None) -> list[Parameter]:
        """The same for all data."""
        return list(self.found)


def _hyper_space(text: str, file: str) -> HyperSpace:
    return HyperSpace(parse_hyper(text, file))


PARSERS: dict[str, Callable[[str, str], Written]] = {
    ".hyper": _hyper_space,
    ".test": _hyper_space,
    ".yaml": parse_yaml_space,
    ".yml": parse_yaml_space,
}

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class SpaceFile:
    """A search space as it is written.

    Attributes:
        name: name of the bundled space, or the file's without its suffix.
        file: as errors name it.
        source: the file's text.
        written: what it says.
    """

    name: str
    file: str
    source: str
    written: Written

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the options that it varies, for some data if not for all."""
        return tuple(dict.fromkeys(axis.option for axis in self.written.axes.values()))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its parameters, for some data if not for all."""
        return tuple(axis.name for axis in self.written.axes.values())

    @property
    def is_bundled(self) -> bool:
        """Whether it came with the program."""
        return self.file in [path.name for path in _bundled().values()]

    @property
    def needs_data(self) -> bool:
        """Whether something in it depends on the data."""
        return bool(self.written.by_data)

    def parameters(self, size: DataSize | None) -> list[Parameter]:
        """`Written.parameters`, with its errors."""
        return self.written.parameters(size)


def find_space(path_or_name: str | Path) -> SpaceFile:
    """Read a bundled space by its name, or a file: RecBole's grammar (.hyper, .test) or YAML (.yaml, .yml).

    Raises:
        InputError: no such space or file, or a mistake in it.
    """
    bundled = _bundled()
    path = bundled.get(str(path_or_name), Path(path_or_name))
    if path.suffix not in PARSERS:
        raise InputError(
            f"no search space '{path_or_name}'{did_you_mean(str(path_or_name), bundled)} "
            f"(or a file that ends in {', '.join(PARSERS)})"
        )
    return read_space(path.stem, path.name if path.parent == _FOLDER else str(path), read_text(path))


def read_space(name: str, file: str, text: str) -> SpaceFile:
    """The space that the text of a file describes; `file` decides its grammar, and is named in errors.

    Raises:
        InputError: a mistake in it.
    """
    return SpaceFile(name, file, text, PARSERS[Path(file).suffix](text, file))


def _bundled() -> dict[str, Path]:
    return {path.stem: path for path in sorted(_FOLDER.iterdir()) if path.suffix in PARSERS}
