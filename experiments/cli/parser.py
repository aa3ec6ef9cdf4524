"""The parser of every command: argparse with other spellings, short help, and mistakes as one line.

Private attributes of argparse are used in this module alone, each beside the public way that was tried.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from narm.config import OPTIONS
from narm.errors import InputError
from narm.recbole_keys import is_of_files
from narm.text.suggestion import did_you_mean

# What `add_argument_group` returns has no public name.
Group = argparse._ArgumentGroup


class Parser(argparse.ArgumentParser):
    """A parser that takes `-` for `_`, RecBole's names for ours, and raises what is wrong as one line.

    `--help` leaves out the rare groups, for `--help-all`, and the options of the models, for `--help-options`.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings, allow_abbrev=False, formatter_class=_OneLineEach)
        self._rare: list[Group] = []
        self._of_models: list[Group] = []
        if self.add_help:
            self.add_argument("--version", action=_PrintVersion, help="print the version and exit")

    @property
    def actions(self) -> list[argparse.Action]:
        """Everything that was added, in order.

        Groups add to their parser past its `add_argument`, so overriding that one, which is public, misses them.
        """
        return self._actions

    @property
    def flags(self) -> list[str]:
        """Every spelling of every flag."""
        return [flag for action in self.actions for flag in action.option_strings]

    def add_rare_group(self, title: str) -> Group:
        """A group of flags that few people need."""
        if not self._rare:
            self.add_argument("--help-all", action=_HelpAll, help="show the rarer flags too and exit")
        self._rare.append(self.add_argument_group(title))
        return self._rare[-1]

    def add_option_group(self, title: str) -> Group:
        """A group of options of the models."""
        self._of_models.append(self.add_argument_group(title))
        return self._of_models[-1]

    def format_help(self, *, everything: bool = False) -> str:
        """The help; with the rare groups too if `everything` is asked for."""
        # In public, `help=argparse.SUPPRESS` hides a flag, but for good: `--help-all` could not show it.
        groups = self._action_groups
        left_out = self._of_models if everything else self._rare + self._of_models
        self._action_groups = [group for group in groups if group not in left_out]
        try:
            return super().format_help()
        finally:
            self._action_groups = groups

    def parse_args(  # type: ignore[override]  # one of argparse's overloads
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Read a command line, by default that of this process.

        Raises:
            InputError: an unknown flag (the message suggests the nearest), or a missing or wrong value.
        """
        arguments = sys.argv[1:] if args is None else args
        found, unknown = self.parse_known_args([self._respell(argument) for argument in arguments], namespace)
        if unknown:
            raise InputError(f"unknown argument '{unknown[0]}'{self._hint(unknown[0])}")
        return found

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        raise InputError(message)

    def _respell(self, argument: str) -> str:
        """`--learning-rate=1e-3` and `--MAX_ITEM_LIST_LENGTH` as the flags are registered; values untouched."""
        if not argument.startswith("--"):
            return argument
        flag, equals, value = argument.partition("=")
        known = {OPTIONS.canonical(known[2:]): known for known in self.flags if known.startswith("--")}
        return known.get(OPTIONS.canonical(flag[2:]), flag) + equals + value

    def _hint(self, argument: str) -> str:
        """`; did you mean '--hidden_size'?`, or where the flags are listed."""
        if not argument.startswith("--"):
            return ": every value follows its flag, see --help"
        name = argument.partition("=")[0][2:]
        if "--config" in self.flags and is_of_files(name):
            return ": a key of RecBole's, which a file may have: --config FILE"
        spelled = {flag[2:].replace("-", "_"): flag for flag in self.flags if flag.startswith("--")}
        hint = did_you_mean(name, spelled)
        near = next((flag for known, flag in spelled.items() if hint == f"; did you mean '{known}'?"), None)
        return f"; did you mean '{near}'?" if near else "; see --help and --help-options"


class _OneLineEach(argparse.RawDescriptionHelpFormatter):
    """Help with a line for each flag where it fits, and one for the usage."""

    def __init__(self, prog: str) -> None:
        columns = shutil.get_terminal_size().columns
        super().__init__(prog, max_help_position=28, width=min(columns, 120) - 2)

    def add_usage(self, usage: str | None, actions: Iterable[argparse.Action], *groups: Any, **settings: Any) -> None:
        """Name the positional arguments, and no flags: they are listed below."""
        names = [str(action.metavar or action.dest) for action in actions if not action.option_strings]
        super().add_usage(usage or " ".join(["%(prog)s", "[options]", *names]), [], *groups, **settings)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """`-h, --help`, `--objective METRIC`: other spellings are accepted, and one is documented.

        No public setting does this: a metavar is repeated behind every spelling, and each spelling is listed.
        """
        if not action.option_strings:
            return super()._format_action_invocation(action)
        short = [flag for flag in action.option_strings if not flag.startswith("--")]
        long = [flag for flag in action.option_strings if flag.startswith("--")]
        value = "" if action.nargs == 0 else f" {self._format_args(action, action.dest.upper())}"
        return ", ".join([*short, *long[:1]]) + value


class _HelpAll(argparse.Action):
    """Prints the help with the rare groups."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help, default=argparse.SUPPRESS)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        assert isinstance(parser, Parser)
        print(parser.format_help(everything=True), end="")
        parser.exit()


class _PrintVersion(argparse.Action):
    """Prints the version, and the commit where this is a checkout."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help, default=argparse.SUPPRESS)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from experiments.tuning.study.environment import git_commit, versions  # importlib.metadata takes a while

        commit = git_commit()
        print(f"narm-search {versions()['narm-search'] or 'of a checkout'}{f', commit {commit}' if commit else ''}")
        parser.exit()
