"""Completion of the commands and their flags in a shell, by shtab."""

from __future__ import annotations

import argparse

import shtab

from experiments.cli.commands import COMMANDS
from experiments.cli.parser import Parser

SHELLS = tuple(shell for shell in shtab.SUPPORTED_SHELLS if shell != "tcsh")  # whose script lacks most of the flags

_COMPLETED = {
    "CHECKPOINT": shtab.FILE,
    "DIR": shtab.DIRECTORY,
    "FILE": shtab.FILE,
    "FOLDER": shtab.DIRECTORY,
    "LOG": shtab.FILE,
}
"""What a shell completes, by metavar."""


def completion(shell: str, *, program: str) -> str:
    """A script for the shell to source.

    Args:
        shell: one of `SHELLS`.
        program: name of the installed program; a shell cannot distinguish one `python -m` from another.
    """
    return str(shtab.complete(_whole_parser(program), shell=shell))


def _whole_parser(program: str) -> argparse.ArgumentParser:
    """All commands as one parser, for shtab knows subcommands."""
    whole = Parser(prog=program)
    subparsers = whole.add_subparsers()
    for command in COMMANDS.values():
        parser = command.parser()
        for action in parser.actions:
            if action.metavar in _COMPLETED:
                action.complete = _COMPLETED[str(action.metavar)]  # type: ignore[attr-defined]  # shtab's way
        subparsers.add_parser(command.name, parents=[parser], add_help=False, help=command.summary)
    return whole
