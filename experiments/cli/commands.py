"""The table of commands: `python -m experiments` lists it, completion and the reference in the docs are made of it.

A command is one entry here and one module `experiments.NAME` that has `main(arguments) -> int` and
`build_parser() -> Parser`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from experiments.cli.parser import Parser

PURPOSES = ("search and compare", "data", "train and ship", "look and share")
"""What commands are for, in the order of the list."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command, as `python -m experiments.NAME` calls it.

    Attributes:
        name: of the command, and of its module in `experiments`.
        purpose: one of `PURPOSES`.
        summary: what it does, in a line, as its module's docstring begins.
    """

    name: str
    purpose: str
    summary: str

    @property
    def module(self) -> str:
        """The module; only `import_module` can import one with a hyphen."""
        return f"experiments.{self.name}"

    def parser(self) -> Parser:
        """Its command line; imports the module."""
        parser: Parser = import_module(self.module).build_parser()
        return parser

    @property
    def main(self) -> Callable[[Sequence[str] | None], int]:
        """What runs it; imports the module."""
        main: Callable[[Sequence[str] | None], int] = import_module(self.module).main
        return main


_SEARCH, _DATA, _SHIP, _SHARE = PURPOSES

COMMANDS = {
    command.name: command
    for command in (
        Command("search", _SEARCH, "search the hyperparameters of NARM, or of a baseline, on a dataset"),
        Command("compare", _SEARCH, "every model on one dataset, each tuned with the same budget, judged side by side"),
        Command("compare-studies", _SEARCH, "two searches of the same data, side by side"),
        Command("prepare", _DATA, "a raw log becomes a prepared dataset, a folder that `--dataset` takes"),
        Command("train", _SHIP, "train one model, validate it after every epoch, test the best one"),
        Command("recommend", _SHIP, "what comes next in sessions, in raw item ids"),
        Command("export", _SHIP, "write a trained model in a format that other programs run"),
        Command("register", _SHIP, "make what a study recommends MLflow's champion"),
        Command("report", _SHARE, "what a search found, as a page to read and as Markdown to paste"),
        Command("replay", _SHARE, "train a trial of a study again, and see whether it gets its value again"),
        Command("reproduce", _SHARE, "a published table, and what this project reaches on the same data"),
        Command("sync", _SHARE, "send MLflow what a search could not, or everything to another server"),
    )
}
