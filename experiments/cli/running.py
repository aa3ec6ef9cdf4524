"""Runs a command: what goes wrong becomes one line and an exit status."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from experiments.cli import streams
from experiments.cli.exit_status import EXIT_INTERRUPTED, EXIT_PIPE_CLOSED, EXIT_USAGE
from experiments.tuning.driver.signals import remembered_interrupts
from narm.errors import InputError


def run_command(command: Callable[[Sequence[str] | None], int], arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status.

    Bad input is one line and 2, as is a file that cannot be written; Ctrl-C and SIGTERM are 130, and a reader that has
    gone away (`| head`) is 141.

    Args:
        command: its `main`.
        arguments: by default those of this process.
    """
    streams.make_usable()
    try:
        with remembered_interrupts():
            try:
                status = command(arguments)
            except SystemExit:  # of --help
                sys.stdout.flush()
                raise
            sys.stdout.flush()
            return status
    except InputError as error:
        return _refuse(error)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except OSError as error:
        if error.filename is not None:
            return _refuse(InputError(f"{error.filename}: {error.strerror}"))
        if isinstance(error, BrokenPipeError):
            streams.discard(sys.stdout)
            return EXIT_PIPE_CLOSED
        if streams.is_broken(sys.stdout):
            streams.discard(sys.stdout)
            return _refuse(InputError(f"standard output: {error.strerror}"))
        raise


def _refuse(error: InputError) -> int:
    with suppress(OSError):  # nobody reads it
        print(f"error: {error}", file=sys.stderr)
    return EXIT_USAGE
