"""The reference, as Markdown: options, commands and Python calls, each as the code itself describes them."""

from __future__ import annotations

import inspect
import os
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, get_args, get_origin

import annotated_types

import narm
from experiments.cli.commands import COMMANDS, Command
from narm.config import OPTIONS, SECTIONS
from narm.options import Option

_COLUMNS = "112"


def options_page() -> str:
    """Every option: its values, default, and the reason for it."""
    parts = [
        "# Options\n\nOn the command line `--NAME VALUE`, in a `--config` file `NAME: VALUE`, in Python "
        "`Config.from_flat(NAME=VALUE)`. Those that are marked • may stand in a search space.\n"
    ]
    for section, model in SECTIONS.items():
        parts.append(f"\n## {section}\n\n{inspect.cleandoc(model.__doc__ or '')}\n")
        parts.append("\n| option | | values | default | what it is |\n|---|---|---|---|---|\n")
        parts += [_option_row(option) for option in OPTIONS.values() if option.section == section]
    return "".join(parts)


def _option_row(option: Option) -> str:
    names = f"`{option.name}`" + (f" (RecBole: `{option.recbole}`)" if option.recbole else "")
    meaning = option.description + (f"; default: {option.reason}" if option.reason else "")
    cells = (names, "•" if option.searchable else "", describe_values(option), f"`{_default(option)}`", meaning)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _default(option: Option) -> str:
    value = option.default
    return "none" if value is None else repr(value) if isinstance(value, str) else str(value)


def describe_values(option: Option) -> str:
    """The values that an option takes, in a few words: `whole number, 1 to 4096`."""
    return _describe_type(option.info.annotation) + _describe_bounds(option.info.metadata)


def _describe_type(annotation: Any) -> str:
    kinds = {int: "whole number", float: "number", bool: "true or false", str: "text", type(None): "none"}
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin is types.UnionType:
        return " or ".join(_describe_type(argument) for argument in arguments)
    if origin is tuple:
        return "list" if ... in arguments else f"{len(arguments)} values"
    return kinds.get(annotation, "mapping")


def _describe_bounds(metadata: list[Any]) -> str:
    ends: dict[type, tuple[str, str]] = {
        annotated_types.Ge: ("from", "ge"),
        annotated_types.Gt: ("above", "gt"),
        annotated_types.Le: ("to", "le"),
        annotated_types.Lt: ("below", "lt"),
    }
    found = [(ends[type(bound)], bound) for bound in metadata if type(bound) in ends]
    words = " ".join(f"{word} {getattr(bound, attribute):,}" for (word, attribute), bound in found)
    return f", {words}" if words else ""


def commands_page() -> str:
    """Every command, with all flags but NARM's options."""
    with _terminal_of(_COLUMNS):
        parts = [_describe_command(command) for command in COMMANDS.values()]
    return (
        "# Commands\n\n`python -m experiments` lists them. Installed, `narm search` is short for `python -m "
        'experiments.search`, and completes in a shell: `eval "$(narm --print-completion bash)"`.\n\n'
        "All that take options of NARM take those on [the page of options](options.md).\n" + "".join(parts)
    )


def _describe_command(command: Command) -> str:
    text = command.parser().format_help(everything=True)
    return f"\n## {command.name}\n\n```text\n{text.rstrip()}\n```\n"


@contextmanager
def _terminal_of(columns: str) -> Iterator[None]:
    """Help is as wide as the terminal: let the builder's not matter."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = columns
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


def python_page() -> str:
    """What `import narm` offers."""
    parts = [_describe_object(name, getattr(narm, name)) for name in sorted(narm.__all__, key=str.lower)]
    return (
        "# Python\n\n`from narm import …` has these. What they take and return is described beside them.\n"
        + "".join(parts)
    )


def _describe_object(name: str, found: Any) -> str:
    parts = [f"\n## {name}\n\n{_code(name, found)}"]
    if inspect.isclass(found):
        methods = inspect.getmembers(found, lambda member: inspect.isfunction(member) or inspect.ismethod(member))
        own = [(method, call) for method, call in methods if method in vars(found) and not method.startswith("_")]
        parts += [f"\n### {name}.{method}\n\n{_code(method, call)}" for method, call in own]
    return "".join(parts)


def _code(name: str, found: Any) -> str:
    """Signature and docstring."""
    signature = "" if inspect.isclass(found) and found.__init__ is object.__init__ else _signature(found)
    return f"```python\n{name}{signature}\n```\n\n```text\n{inspect.getdoc(found) or ''}\n```\n"


def _signature(found: Any) -> str:
    parameters = inspect.signature(found).parameters.values()
    pieces = [f"    {parameter}," for parameter in parameters if parameter.name != "self"]
    returned = inspect.signature(found).return_annotation
    arrow = "" if returned is inspect.Signature.empty or inspect.isclass(found) else f" -> {returned}"
    return "(\n" + "\n".join(pieces) + f"\n){arrow}" if pieces else f"(){arrow}"
