"""What the command lines have in common: a flag for every option, one-line errors, exit statuses."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import FrameType
from typing import Any, NoReturn, cast, get_args

from narm.config import SECTIONS, ModelName, Option, canonical, check_value, did_you_mean, options
from narm.errors import InputError
from narm.model_options import check_used

USAGE_ERROR = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


class Parser(argparse.ArgumentParser):
    """A parser that takes `-` for `_`, RecBole's names for ours, and raises what is wrong as one line."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)

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
        known = {canonical(known[2:]): known for known in self._option_string_actions if known.startswith("--")}
        return known.get(canonical(flag[2:]), flag) + equals + value


def _nearest_flag(argument: str, flags: Iterable[str]) -> str:
    """`; did you mean '--hidden_size'?`, or where the flags are listed."""
    if not argument.startswith("--"):
        return ": every value stands behind its flag, see --help"
    spelled = {flag[2:].replace("-", "_"): flag for flag in flags}
    hint = did_you_mean(argument.partition("=")[0][2:], spelled)
    near = next((flag for name, flag in spelled.items() if hint == f"; did you mean '{name}'?"), None)
    return f"; did you mean '{near}'?" if near else "; see --help and --help-options"


def add_options(parser: argparse.ArgumentParser, *sections: str, skip: Iterable[str] = ()) -> None:
    """Add a flag for every option of these sections (all by default), listed by `--help-options`.

    Args:
        parser: gets the flags.
        sections: names among `narm.config.SECTIONS`.
        skip: options that have a flag already.
    """
    skip = set(skip)
    shown = [o for o in options().values() if o.section in (sections or SECTIONS) and o.name not in skip]
    for option in shown:
        parser.add_argument(f"--{option.name}", default=argparse.SUPPRESS, metavar="VALUE", help=argparse.SUPPRESS)
    parser.add_argument(
        "--help-options", action=_ListOptions, shown=shown, help="list every option of every model and exit"
    )


def given_options(namespace: argparse.Namespace) -> dict[str, object]:
    """The options that were given on the command line, as text; no others."""
    return {name: value for name, value in vars(namespace).items() if name in options() and value is not None}


def add_model(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add `--model`."""
    parser.add_argument("--model", metavar="NAME", help=f"{', '.join(get_args(ModelName))} (default: narm)")


def chosen_model(flags: Mapping[str, object], *others: Mapping[str, object]) -> ModelName:
    """The model that the flags name, or else the first of other places that does; NARM by default.

    Args:
        flags: options of the command line.
        others: options of other places, the first of which wins.
    Raises:
        InputError: there is no such model, or it does not use an option of the command line.
    """
    named = next((values["model"] for values in (flags, *others) if "model" in values), options()["model"].default)
    model = cast("ModelName", check_value("model", named))
    check_used(model, flags)
    return model


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
    """Run a command line and return its exit status: bad input is one line and 2, Ctrl-C and SIGTERM are 130."""
    before = signal.signal(signal.SIGTERM, _as_keyboard_interrupt)
    try:
        return command(arguments)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)


def _as_keyboard_interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
