"""What a command prints, and where: its messages, the log, and its result as JSON."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.cli.parser import Parser
from narm.machine.files import require_writable, write_text

if TYPE_CHECKING:
    from rich.console import Console

STDOUT = "-"


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
    display are for terminals; rich heeds NO_COLOR. A reader that goes away ends the command, unless the result goes to
    a file.

    Raises:
        InputError: the file of `--json` cannot be written.
    """
    from experiments.reporting.messages import Messages

    has_file = given.json not in (None, STDOUT)
    if has_file:
        require_writable(Path(given.json))
    _set_log_levels(quiet=given.quiet, verbose=given.verbose)
    return Messages(stderr=given.json == STDOUT, quiet=given.quiet, dispensable=has_file)


def _set_log_levels(*, quiet: bool, verbose: int) -> None:
    """For the libraries, and for this suite."""
    theirs = logging.ERROR if quiet else logging.DEBUG if verbose > 1 else logging.WARNING
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=theirs)
    for package in ("narm", "search_spaces", "experiments"):
        logging.getLogger(package).setLevel(min(theirs, logging.INFO) if verbose else theirs)


def write_json(given: argparse.Namespace, document: str) -> None:
    """Print the result, or write it to the file, where `--json` asks for it; `document` ends with a newline.

    To be called before the result is printed for a person: what was computed is kept, whatever ails the terminal.
    """
    if given.json == STDOUT:
        sys.stdout.write(_in_the_encoding(document))
    elif given.json is not None:
        write_text(Path(given.json), document)


def _in_the_encoding(document: str) -> str:
    """JSON is UTF-8, or else in the ASCII that every other encoding has."""
    try:
        document.encode(sys.stdout.encoding if sys.stdout.encoding.lower().startswith("utf") else "ascii")
    except UnicodeEncodeError:
        return json.dumps(json.loads(document), indent=2) + "\n"
    return document
