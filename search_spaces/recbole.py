"""RecBole's search files (`hyper.test`), without its `eval`.

A line is `name kind values`, the kinds being
    choice [a, b]       one of these; a list may be quoted: '[0.25,0.5]'
    uniform lo,hi       between lo and hi
    quniform lo,hi,q    round(x / q) * q for such an x: multiples of q, up to q / 2 outside lo and hi
    loguniform lo,hi    e to the power of such an x: the bounds are exponents
(recbole 1.2.1, trainer/hyper_tuning.py, and the `hp` of hyperopt behind it).

RecBole splits at single spaces, skips lines of fewer than three parts without a word, and lets the later of
two lines on one option win. Here tabs, runs of spaces, blank lines and `#` comments are fine; the rest is an
error.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal

from narm.errors import InputError
from narm.text.suggestion import did_you_mean
from narm.text.text_file import located
from search_spaces.axis import Axis
from search_spaces.parameter import Distribution, Parameter, choices, number_range

_COMMENT = re.compile(r"(^|\s)#.*")
_EXPONENTS = "loguniform's bounds are exponents of e: ln 0.001 is -6.9"


def parse_hyper(text: str, file: str) -> list[Parameter]:
    """Read RecBole's grammar; `file` is named in errors.

    Raises:
        InputError: a line that is no parameter, with its number and the nearest valid name or kind.
    """
    parameters = []
    for line, raw in enumerate(text.split("\n"), start=1):
        content = _COMMENT.sub("", raw).strip()
        if content:
            with located(file, line):
                axis, distribution = _parse_line(content)
            parameters.append(Parameter(axis=axis, distribution=distribution, line=line))
    return parameters


def _parse_line(content: str) -> tuple[Axis, Distribution]:
    parts = content.split(maxsplit=2)
    if len(parts) < 3:
        raise InputError(f"'{content}': expected `name kind values` (RecBole skips such a line without a word)")
    name, kind, values = parts
    axis = Axis.parse(name)
    if kind not in KINDS:
        raise InputError(f"{axis.name}: unknown kind '{kind}'{did_you_mean(kind, KINDS)}")
    return axis, KINDS[kind](axis, values)


def _choice(axis: Axis, text: str) -> Distribution:
    try:
        values = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        values = None
    if not isinstance(values, (list, tuple)):
        raise InputError(
            f"{axis.name}: {text} is not a list of numbers, quoted text, True, False or None: write ['a','b']"
        )
    return choices(axis, values)


def _uniform(axis: Axis, text: str) -> Distribution:
    low, high = _numbers(axis, text, "uniform lo,hi")
    _refuse_whole(axis)
    return number_range(axis, low, high)


def _quniform(axis: Axis, text: str) -> Distribution:
    low, high, step = _numbers(axis, text, "quniform lo,hi,q")
    if step <= 0:
        raise InputError(f"{axis.name}: q {step:g} must be above 0")
    if low > high:
        raise InputError(f"{axis.name}: lo {low:g} is above hi {high:g}")
    # the multiples that rounding reaches with more than probability zero: half a step belongs to the inner one
    first, last = _multiple(low, step, ROUND_HALF_UP), _multiple(high, step, ROUND_HALF_DOWN)
    try:
        return number_range(axis, first, last, step=step)
    except InputError as error:
        if (first, last) == (low, high):
            raise
        raise InputError(f"{error} (quniform gives multiples of {step:g}: {first:g} to {last:g})") from None


def _loguniform(axis: Axis, text: str) -> Distribution:
    low, high = _numbers(axis, text, "loguniform lo,hi")
    _refuse_whole(axis)
    try:
        return number_range(axis, math.exp(low), math.exp(high), log=True)
    except OverflowError:
        raise InputError(f"{axis.name}: e to the power of {high:g} is too large: {_EXPONENTS}") from None
    except InputError as error:
        raise InputError(f"{error} ({_EXPONENTS})") from None


def _multiple(value: float, step: float, rounding: str) -> float:
    """The multiple of `step` next to a value, in decimal: 0.3, not 3 * 0.1."""
    decimal_step = Decimal(str(step))
    return float((Decimal(str(value)) / decimal_step).to_integral_value(rounding) * decimal_step)


def _numbers(axis: Axis, text: str, form: str) -> list[float]:
    """As many numbers as the form has, `kind a,b`."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != form.count(",") + 1 or not all(map(math.isfinite, numbers)):
        raise InputError(f"{axis.name}: '{text}' should be numbers, as in `{form}`")
    return numbers


def _refuse_whole(axis: Axis) -> None:
    """Between two whole numbers lie broken ones, which RecBole would hand to the model."""
    if axis.number is int:
        raise InputError(f"{axis.name} takes whole numbers: write `quniform lo,hi,1` or `choice [a,b]`")


KINDS: dict[str, Callable[[Axis, str], Distribution]] = {
    "choice": _choice,
    "uniform": _uniform,
    "quniform": _quniform,
    "loguniform": _loguniform,
}
