"""A search space: parameters as Optuna distributions, and the way between them and configurations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, Self, cast

from optuna.distributions import CategoricalDistribution, IntDistribution

from narm.config import Config
from narm.errors import InputError
from narm.text.text_file import located
from search_spaces.axis import Value
from search_spaces.consistency import ordered, point_with
from search_spaces.data_size import DataSize
from search_spaces.parameter import Distribution, Parameter, Params, Side
from search_spaces.space_file import SpaceFile, find_space, read_space

_ANOTHER = object()
"""Stands for all those values of a parameter that no condition names."""


class Suggests(Protocol):
    """What a space needs of an Optuna trial."""

    def suggest_categorical(self, name: str, choices: Sequence[Value]) -> Value: ...  # noqa: D102

    def suggest_int(  # noqa: D102
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int: ...

    def suggest_float(  # noqa: D102
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float: ...


@dataclass(frozen=True)
class SearchSpace:
    """Parameters, each an option or a position of one, with their distributions and conditions.

    Attributes:
        name: name of the bundled space, or the file's without its suffix.
        file: as errors name it.
        source: the file's text, for the record of a study.
        parameters: in the file's order; none for a model without options, whose space is one point.
        data: the size of the data that it was made for; None: nothing in the file depends on it.
        left_out: parameters of the file that can never apply for these data.
    """

    name: str
    file: str
    source: str
    parameters: tuple[Parameter, ...]
    data: DataSize | None = None
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, file: SpaceFile, size: DataSize | None) -> Self:
        """The space of a file for data of that size.

        Args:
            file: the space as it is written.
            size: of the data; None: not known, which does where nothing depends on it.
        Raises:
            InputError: parameters do not fit together, or not with such data, or the data should be known.
        """
        parameters = tuple(file.parameters(size))
        kept = {parameter.name for parameter in parameters}
        left_out = tuple(name for name in file.names if name not in kept)
        data = size if file.needs_data else None
        return cls(file.name, file.file, file.source, parameters, data=data, left_out=left_out)

    def __post_init__(self) -> None:
        ordered(self.parameters, self.file)

    @cached_property
    def distributions(self) -> dict[str, Distribution]:
        """Optuna's distribution of each parameter, in the file's order."""
        return {parameter.name: parameter.distribution for parameter in self.parameters}

    @cached_property
    def options(self) -> tuple[str, ...]:
        """Names of the options that vary, which a search cannot also fix."""
        return tuple(dict.fromkeys(parameter.axis.option for parameter in self.parameters))

    @cached_property
    def by_data(self) -> dict[str, str]:
        """What the data decided: `32 to 1024 (high: targets / 50)`, by parameter."""
        decided = {p.name: f"{p.describe()} ({p.by_data})" for p in self.parameters if p.by_data}
        return decided | dict.fromkeys(self.left_out, "left out")

    def suggest(self, trial: Suggests) -> Params:
        """Draw a point, asking the trial only for the parameters that apply."""
        params: Params = {}
        for parameter in self._ordered:
            if parameter.applies(params):
                params[parameter.name] = _suggest(trial, parameter)
        return self._in_file_order(params)

    def to_options(self, params: Mapping[str, Value], base: Config) -> dict[str, Any]:
        """Options and values of a point, ready for `base.replace`.

        Args:
            params: values by parameter name, as Optuna holds them.
            base: has the positions of a tuple that the point leaves alone.
        """
        flat = base.flat()
        changed: dict[str, Any] = {}
        for name, value in params.items():
            axis = self._by_name[name].axis
            changed[axis.option] = axis.write(value, flat | changed)
        return changed

    def from_options(self, config: Config) -> Params | None:
        """The point that a configuration is; None when it lies outside (`why_outside` says why)."""
        return None if self.why_outside(config) else self._coordinates(config)

    def why_outside(self, config: Config) -> str | None:
        """Which option of a configuration lies outside the space, None when all lie inside."""
        for name, value in self._coordinates(config).items():
            if value not in self._by_name[name]:
                return f"{name} is {value}, the space has {self._by_name[name].describe()}"
        return None

    def contains(self, params: Mapping[str, Value]) -> bool:
        """Whether these are the parameters that apply together, each with one of its values."""
        if not params.keys() <= self._by_name.keys():
            return False
        for parameter in self._ordered:
            if parameter.applies(params) != (parameter.name in params):
                return False
            if parameter.name in params and params[parameter.name] not in parameter:
                return False
        return True

    def boundary(self, params: Mapping[str, Value]) -> list[tuple[str, float, Side]]:
        """Which parameters are at an end of the space, with their value: the optimum may lie beyond."""
        return [
            (name, cast("float", value), side)
            for name, value in params.items()
            if name in self._by_name and (side := self._by_name[name].end(value)) is not None
        ]

    @cached_property
    def size(self) -> int | None:
        """Number of distinct points; None when there is a continuous range."""
        if any(parameter.size is None for parameter in self.parameters):
            return None
        return self._count(0, {})

    def grid(self) -> Iterator[Params]:
        """Every point of a finite space, once.

        Raises:
            InputError: a parameter is continuous.
        """
        for parameter in self.parameters:
            if parameter.size is None:
                with located(self.file, parameter.line):
                    raise InputError(f"{parameter.name} is continuous: a grid needs choices or a step")
        return map(self._in_file_order, self._points(0, {}))

    def check(self, base: Config) -> None:
        """Check that each choice and each end of a range makes a valid configuration together with `base`.

        Raises:
            InputError: one does not; its line, parameter and value are named.
        """
        for parameter in self.parameters:
            for value in parameter.corners():
                params = point_with(parameter, value, self._by_name)
                try:
                    base.replace(self.to_options(params, base))
                except InputError as error:
                    raise InputError(
                        f"{self.file}:{parameter.line}: {parameter.name} {value} does not fit: {error}"
                    ) from None

    @cached_property
    def _by_name(self) -> dict[str, Parameter]:
        return {parameter.name: parameter for parameter in self.parameters}

    @cached_property
    def _ordered(self) -> tuple[Parameter, ...]:
        return ordered(self.parameters, self.file)

    @cached_property
    def _compared(self) -> dict[str, tuple[Value, ...]]:
        """Parameters on which others depend, with every value that a condition names."""
        compared: dict[str, tuple[Value, ...]] = {}
        for parameter in self.parameters:
            for parent, values in parameter.when.items():
                compared[parent] = tuple(dict.fromkeys(compared.get(parent, ()) + values))
        return compared

    def _in_file_order(self, params: Params) -> Params:
        return {name: params[name] for name in self._by_name if name in params}

    def _coordinates(self, config: Config) -> Params:
        """The configuration's values of the parameters that apply to it, inside the space or not."""
        flat = config.flat()
        params: Params = {}
        for parameter in self._ordered:
            if parameter.applies(params):
                params[parameter.name] = parameter.axis.read(flat)
        return self._in_file_order(params)

    def _points(self, index: int, params: Params) -> Iterator[Params]:
        if index == len(self._ordered):
            yield params
            return
        parameter = self._ordered[index]
        if not parameter.applies(params):
            yield from self._points(index + 1, params)
            return
        for value in parameter.values():
            yield from self._points(index + 1, {**params, parameter.name: value})

    def _count(self, index: int, params: dict[str, Any]) -> int:
        """Number of `_points`, without visiting those that differ only where no condition looks."""
        if index == len(self._ordered):
            return 1
        parameter = self._ordered[index]
        if not parameter.applies(params):
            return self._count(index + 1, params)
        compared = self._compared.get(parameter.name, ())
        others = (parameter.size or 0) - len(compared)
        named = sum(self._count(index + 1, {**params, parameter.name: value}) for value in compared)
        return named + others * self._count(index + 1, {**params, parameter.name: _ANOTHER})


def load_space(path_or_name: str | Path, size: DataSize | None = None) -> SearchSpace:
    """A bundled space by its name, or a file, for data of that size; see `find_space` and `SearchSpace.of`.

    Raises:
        InputError: no such space or file, a mistake in it, or it needs to know the data.
    """
    return SearchSpace.of(find_space(path_or_name), size)


def parse_space(name: str, file: str, text: str, size: DataSize | None = None) -> SearchSpace:
    """The space that the text of a file describes, for data of that size; see `read_space` and `SearchSpace.of`.

    Raises:
        InputError: a mistake in it, or it needs to know the data.
    """
    return SearchSpace.of(read_space(name, file, text), size)


def _suggest(trial: Suggests, parameter: Parameter) -> Value:
    name, drawn = parameter.name, parameter.distribution
    if isinstance(drawn, CategoricalDistribution):
        return trial.suggest_categorical(name, drawn.choices)
    if isinstance(drawn, IntDistribution):
        return trial.suggest_int(name, drawn.low, drawn.high, step=drawn.step, log=drawn.log)
    return trial.suggest_float(name, drawn.low, drawn.high, step=drawn.step, log=drawn.log)
