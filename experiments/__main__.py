"""`python -m experiments`, or `narm` for short: lists the commands, and runs one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments.cli.commands import COMMANDS, PURPOSES, Command
from experiments.cli.parser import Parser
from experiments.cli.running import run_command
from narm.errors import InputError
from narm.text.suggestion import did_you_mean

PROGRAM = "narm"

DESCRIPTION = """\
Which NARM should you ship for your sessions, and how sure are you?

{commands}


`python -m experiments.search` and `narm search` are the same; `narm search --help` explains it.
"""
EPILOG = """\
completion in bash:
  eval "$(narm --print-completion bash)"
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """List the commands, or run the one that is named.

    Returns:
        the exit status.
    Raises:
        InputError: there is no such command, or what that command raises.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and not words[0].startswith("-"):
        return _find(words[0]).main(words[1:])
    parser = build_parser()
    given = parser.parse_args(words)
    if given.print_completion is None:
        parser.print_help()
        return 0
    from experiments.cli.completion import SHELLS, completion

    if given.print_completion not in SHELLS:
        raise InputError(f"completion: '{given.print_completion}' is none of {', '.join(SHELLS)}")
    print(completion(given.print_completion, program=PROGRAM))
    return 0


def run() -> int:
    """The entry point of the installed program."""
    return run_command(main)


def build_parser() -> Parser:
    """The flags beside the commands."""
    parser = Parser(prog="python -m experiments", description=DESCRIPTION.format(commands=_list()), epilog=EPILOG)
    parser.add_argument("--print-completion", metavar="SHELL", help="print the completion of bash, zsh or fish")
    return parser


def _list() -> str:
    """The commands by purpose, a line each."""
    parts = []
    for purpose in PURPOSES:
        commands = [command for command in COMMANDS.values() if command.purpose == purpose]
        parts.append("\n".join([f"{purpose}:", *(f"  {command.name:<16}{command.summary}" for command in commands)]))
    return "\n\n".join(parts)


def _find(name: str) -> Command:
    found = COMMANDS.get(name.replace("_", "-"))
    if found is None:
        raise InputError(f"there is no command '{name}'{did_you_mean(name, COMMANDS)}")
    return found


if __name__ == "__main__":
    sys.exit(run())
