"""The commands there are: every module here whose docstring begins with how it is called.

    `python -m experiments.search`: search the hyperparameters of NARM on a dataset.

Such a module has `main(arguments) -> int` and `build_parser() -> Parser`. Nothing else registers a command.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from experiments.cli.command_line import Parser

PACKAGE = "experiments"

_BEGINNING = re.compile(r'"""`python -m experiments\.')
_DOCSTRING = re.compile(r"`python -m experiments\.(?P<name>[\w-]+)[^`]*`: (?P<summary>[^.]+)")


@dataclass(frozen=True, slots=True)
class Command:
    """A command, as `python -m experiments.NAME` calls it.

    Attributes:
        name: of the command.
        module: that implements it; Python cannot import a name with a hyphen.
        summary: what it does, in a line.
    """

    name: str
    module: str
    summary: str

    def parser(self) -> Parser:
        """Its command line; imports the module."""
        parser: Parser = import_module(self.module).build_parser()
        return parser

    @property
    def main(self) -> Callable[[Sequence[str] | None], int]:
        """What runs it; imports the module."""
        main: Callable[[Sequence[str] | None], int] = import_module(self.module).main
        return main


@cache
def commands() -> dict[str, Command]:
    """Every command by name, without importing any."""
    found = [_command(path) for path in sorted(Path(__file__).parent.glob("*.py"))]
    return {command.name: command for command in found if command}


def _command(path: Path) -> Command | None:
    with path.open(encoding="utf-8") as file:
        if not _BEGINNING.match(file.readline()):
            return None
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    match = _DOCSTRING.match(" ".join(docstring.split()))
    return Command(match["name"], f"{PACKAGE}.{path.stem}", match["summary"]) if match else None
