"""What the command lines have in common: a flag for every option, short help, one-line errors, exit statuses.

A command's module imports at its top what its parser needs, and in its `main`, once the command line is read, what
computes: torch, Ray and Optuna take seconds, and `--help` needs none of them.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from experiments.tuning.driver.signals import remembered_interrupts
from narm.config import OPTIONS, SECTIONS
from narm.errors import InputError
from narm.machine.files import require_writable, write_text
from narm.model_options import check_used
from narm.models import MODELS, ModelName
from narm.options import Option
from narm.text.suggestion import did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

USAGE_ERROR = 2
DEFAULT_OUTPUT = "runs"
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
PIPE_CLOSED = 141  # 128 + SIGPIPE

STDOUT = "-"


class Parser(argparse.ArgumentParser):
    """A parser that takes `-` for `_`, RecBole's names for ours, and raises what is wrong as one line.

    `--help` leaves out the rare groups, for `--help-all`, and the options of the models, for `--help-options`.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings, allow_abbrev=False, formatter_class=_OneLineEach)
        self._rare: list[argparse._ArgumentGroup] = []
        self._of_models: list[argparse._ArgumentGroup] = []
        if self.add_help:
            self.add_argument("--version", action=_PrintVersion, help="print the version and exit")

    def add_rare_group(self, title: str) -> argparse._ArgumentGroup:
        """A group of flags that few people need."""
        if not self._rare:
            self.add_argument("--help-all", action=_HelpAll, help="show the rarer flags too and exit")
        self._rare.append(self.add_argument_group(title))
        return self._rare[-1]

    def add_option_group(self, title: str) -> argparse._ArgumentGroup:
        """A group of options of the models."""
        self._of_models.append(self.add_argument_group(title))
        return self._of_models[-1]

    def format_help(self, *, everything: bool = False) -> str:
        """The help; with the rare groups too if `everything` is asked for."""
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
            InputError: an unknown flag (the nearest is named), or a missing or wrong value.
        """
        arguments = sys.argv[1:] if args is None else args
        found, unknown = self.parse_known_args([self._respell(argument) for argument in arguments], namespace)
        if unknown:
            flags = [flag for flag in self._option_string_actions if flag.startswith("--")]
            raise InputError(f"unknown argument '{unknown[0]}'{_nearest_flag(unknown[0], flags)}")
        return found

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        raise InputError(message)

    def _respell(self, argument: str) -> str:
        """`--learning-rate=1e-3` and `--MAX_ITEM_LIST_LENGTH` as the flags are registered; values untouched."""
        if not argument.startswith("--"):
            return argument
        flag, equals, value = argument.partition("=")
        known = {OPTIONS.canonical(known[2:]): known for known in self._option_string_actions if known.startswith("--")}
        return known.get(OPTIONS.canonical(flag[2:]), flag) + equals + value


def _nearest_flag(argument: str, flags: Iterable[str]) -> str:
    """`; did you mean '--hidden_size'?`, or where the flags are listed."""
    if not argument.startswith("--"):
        return ": every value stands behind its flag, see --help"
    spelled = {flag[2:].replace("-", "_"): flag for flag in flags}
    hint = did_you_mean(argument.partition("=")[0][2:], spelled)
    near = next((flag for name, flag in spelled.items() if hint == f"; did you mean '{name}'?"), None)
    return f"; did you mean '{near}'?" if near else "; see --help and --help-options"


def add_studies_folder(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add `--output`."""
    parser.add_argument(
        "--output", default=DEFAULT_OUTPUT, metavar="DIR", help=f"folder of all studies (default: ./{DEFAULT_OUTPUT})"
    )


STUDY_HELP = "its name, or its folder"


def add_study_places(parser: argparse.ArgumentParser) -> None:
    """Add `--output` and `--storage`: where the studies are."""
    add_studies_folder(parser)
    parser.add_argument("--storage", metavar="URL", help="Optuna's database (default: SQLite in that folder)")


def study_place(study: str, output: str) -> tuple[str, Path]:
    """Name of a study, and the folder of all studies that it is in.

    Args:
        study: its name; or its folder, `runs/my-study/`, as the completion of a shell gives it, which says both.
        output: folder of all studies, for a name.
    """
    folder = Path(study)
    if folder.name in ("", ".."):  # `.`, from inside the folder
        folder = folder.resolve()
    if folder.name == study:
        return study, Path(output)
    return folder.name, folder.parent


def add_output_flags(parser: Parser, *, result: str | None = None) -> None:
    """Add `--quiet` and `--verbose`, and `--json` where the command has a result; `open_console` reads them.

    Args:
        parser: gets the flags.
        result: what `--json` prints; None: the command has no `--json`.
    """
    group = parser.add_argument_group("what is printed")
    volume = group.add_mutually_exclusive_group()
    volume.add_argument("--quiet", action="store_true", help="nothing but errors, and what was asked for")
    volume.add_argument("--verbose", action="count", default=0, help="log messages too; twice: also the libraries'")
    parser.set_defaults(json=None)
    if result:
        group.add_argument("--json", nargs="?", const=STDOUT, metavar="FILE",
            help=f"{result} as JSON: to FILE, or else to stdout")  # fmt: skip


def open_console(given: argparse.Namespace) -> Console:
    """The console for a command's messages, and the log level, as the flags of `add_output_flags` ask for.

    Messages go to stdout, to stderr when stdout is for the JSON, and nowhere with `--quiet`. Colours and a live
    display are for terminals; rich heeds NO_COLOR.

    Raises:
        InputError: the file of `--json` cannot be written.
    """
    from rich.console import Console

    if given.json not in (None, STDOUT):
        require_writable(Path(given.json))
    _set_log_levels(quiet=given.quiet, verbose=given.verbose)
    return Console(stderr=given.json == STDOUT, quiet=given.quiet)


def _set_log_levels(*, quiet: bool, verbose: int) -> None:
    """Of the libraries, and of this suite."""
    theirs = logging.ERROR if quiet else logging.DEBUG if verbose > 1 else logging.WARNING
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=theirs)
    for package in ("narm", "search_spaces", "experiments"):
        logging.getLogger(package).setLevel(min(theirs, logging.INFO) if verbose else theirs)


def write_json(given: argparse.Namespace, document: str) -> None:
    """Print the result, or write it to the file, where `--json` asks for it; `document` ends with a newline."""
    if given.json == STDOUT:
        sys.stdout.write(document)
    elif given.json is not None:
        write_text(Path(given.json), document)


def add_options(parser: Parser, *sections: str, skip: Iterable[str] = ()) -> None:
    """Add a flag for every option of these sections (all by default), listed by `--help-options`.

    Args:
        parser: gets the flags.
        sections: names among `narm.config.SECTIONS`.
        skip: options that have a flag already.
    """
    skip = set(skip)
    shown = [o for o in OPTIONS.values() if o.section in (sections or SECTIONS) and o.name not in skip]
    groups = {section: parser.add_option_group(section) for section in sections or SECTIONS}
    for option in shown:
        help_text = option.description.replace("%", "%%")
        flag = f"--{option.name}"
        groups[option.section].add_argument(flag, default=argparse.SUPPRESS, metavar="VALUE", help=help_text)
    parser.add_argument(
        "--help-options", action=_ListOptions, shown=shown, help="list every option of every model and exit"
    )


def given_options(namespace: argparse.Namespace) -> dict[str, object]:
    """The options that were given on the command line, as text; no others."""
    return {name: value for name, value in vars(namespace).items() if name in OPTIONS and value is not None}


def add_model(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add `--model`."""
    parser.add_argument("--model", metavar="NAME", help=f"{', '.join(MODELS)} (default: narm)")


def chosen_model(flags: Mapping[str, object], *others: Mapping[str, object]) -> ModelName:
    """The model that the flags name, or else the first of other places that does; NARM by default.

    Args:
        flags: options of the command line.
        others: options of other places, the first of which wins.
    Raises:
        InputError: there is no such model, or it does not use an option of the command line.
    """
    named = next((values["model"] for values in (flags, *others) if "model" in values), OPTIONS["model"].default)
    model: ModelName = OPTIONS.check("model", named)
    check_used(model, flags)
    return model


class _OneLineEach(argparse.RawDescriptionHelpFormatter):
    """Help with a line for each flag where it fits, and one for the usage."""

    def __init__(self, prog: str) -> None:
        columns = shutil.get_terminal_size().columns
        super().__init__(prog, max_help_position=28, width=min(columns, 120) - 2)

    def add_usage(self, usage: str | None, actions: Iterable[argparse.Action], *groups: Any, **settings: Any) -> None:
        """Name the positional arguments, and no flags: they stand below."""
        names = [str(action.metavar or action.dest) for action in actions if not action.option_strings]
        super().add_usage(usage or " ".join(["%(prog)s", "[options]", *names]), [], *groups, **settings)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """`-h, --help`, `--objective METRIC`: other spellings are accepted, and one is documented."""
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


class _ListOptions(argparse.Action):
    """Prints every option with its meaning, default and reason."""

    def __init__(self, option_strings: Sequence[str], dest: str, shown: Sequence[Option], help: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help, default=argparse.SUPPRESS)
        self._shown = shown

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        section = None
        for option in self._shown:
            if option.section != section:
                print(f"{option.section}:")
                section = option.section
            print(_describe(option))
        parser.exit()


def _describe(option: Option) -> str:
    default = "none" if option.default is None else str(option.default)
    reason = f"; {option.reason}" if option.reason else ""
    return f"  --{option.name}\n      {option.description} (default: {default}{reason})"


def run_command(command: Callable[[Sequence[str] | None], int], arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status.

    Bad input is one line and 2, Ctrl-C and SIGTERM are 130, and a reader that has gone away (`| head`) is 141.
    """
    try:
        with remembered_interrupts():
            status = command(arguments)
            sys.stdout.flush()
            return status
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer goes nowhere
        return PIPE_CLOSED
