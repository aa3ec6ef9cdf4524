"""A search space as it is written: bundled or a person's own, for data of any size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from narm.errors import InputError
from narm.text.suggestion import did_you_mean
from narm.text.text_file import read_text
from search_spaces.axis import Axis
from search_spaces.data_size import DataSize
from search_spaces.parameter import Parameter
from search_spaces.recbole import parse_hyper
from search_spaces.yaml_space import YamlSpace, parse_yaml_space

Written = YamlSpace | list[Parameter]
"""What a file says; RecBole's grammar knows nothing of the data."""

PARSERS: dict[str, Callable[[str, str], Written]] = {
    ".hyper": parse_hyper,
    ".test": parse_hyper,
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
        return tuple(dict.fromkeys(axis.option for axis in self._axes))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its parameters, for some data if not for all."""
        return tuple(axis.name for axis in self._axes)

    @property
    def is_bundled(self) -> bool:
        """Whether it came with the program."""
        return self.file in [path.name for path in _bundled().values()]

    @property
    def needs_data(self) -> bool:
        """Whether something in it depends on the data."""
        return isinstance(self.written, YamlSpace) and bool(self.written.by_data)

    def parameters(self, size: DataSize | None) -> list[Parameter]:
        """The parameters for data of that size, without those that can never apply there.

        Args:
            size: of the data; None: not known, which does where nothing depends on it.
        Raises:
            InputError: a range is empty for such data, or no choice is left; conditions are wrong; or something depends
                on data whose size is not known.
        """
        return self.written.parameters(size) if isinstance(self.written, YamlSpace) else self.written

    @property
    def _axes(self) -> list[Axis]:
        written = self.written
        return list(written.axes.values()) if isinstance(written, YamlSpace) else [found.axis for found in written]


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
