"""What the parameters of a space must be to one another: distinct, and conditional without a circle."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from narm.errors import InputError
from narm.text.text_file import located
from search_spaces.axis import Value
from search_spaces.parameter import Parameter, Params


def ordered(parameters: Sequence[Parameter], file: str) -> tuple[Parameter, ...]:
    """The parameters, each behind those it depends on, otherwise as in the file.

    Raises:
        InputError: a parameter twice, an option both whole and by position, conditions that run in a circle
            or can never hold.
    """
    _check_distinct(parameters, file)
    by_name = {parameter.name: parameter for parameter in parameters}
    try:
        order = TopologicalSorter({p.name: list(p.when) for p in parameters}).static_order()
        result = tuple(by_name[name] for name in order)
    except CycleError as error:
        circle: list[str] = error.args[1]
        with located(file, by_name[circle[0]].line):
            raise InputError(f"conditions run in a circle: {' <- '.join(circle)}") from None
    for parameter in result:
        with located(file, parameter.line):
            point_with(parameter, parameter.corners()[0], by_name)
    return result


def point_with(parameter: Parameter, value: Value, by_name: dict[str, Parameter]) -> Params:
    """The parameter at `value`, and the parameters it depends on at the first values that make it apply.

    Raises:
        InputError: no values do.
    """
    allowed: dict[str, list[Value]] = {}
    pending = [parameter]
    while pending:
        for parent, values in pending.pop().when.items():
            before = allowed.get(parent, list(values))
            allowed[parent] = [shared for shared in values if shared in before]
            pending.append(by_name[parent])
    for parent, choices in allowed.items():
        if not choices:
            raise InputError(f"{parameter.name} never applies: no value of {parent} meets all its conditions")
    return {parent: choices[0] for parent, choices in allowed.items()} | {parameter.name: value}


def _check_distinct(parameters: Sequence[Parameter], file: str) -> None:
    seen: dict[str, Parameter] = {}
    for parameter in parameters:
        axis = parameter.axis
        for other in seen.values():
            if other.axis == axis:
                problem = f"{parameter.name} a second time: it is already on line {other.line}"
            elif other.axis.option == axis.option and None in (other.axis.position, axis.position):
                problem = f"{parameter.name}: line {other.line} has {other.name}: vary the whole or its positions"
            else:
                continue
            raise InputError(f"{file}:{parameter.line}: {problem}")
        seen[parameter.name] = parameter
