"""Runs a command: what goes wrong becomes one line and an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from experiments.cli.exit_status import EXIT_INTERRUPTED, EXIT_PIPE_CLOSED, EXIT_USAGE
from experiments.tuning.driver.signals import remembered_interrupts
from narm.errors import InputError


def run_command(command: Callable[[Sequence[str] | None], int], arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status.

    Bad input is one line and 2, Ctrl-C and SIGTERM are 130, and a reader that has gone away (`| head`) is 141.

    Args:
        command: its `main`.
        arguments: by default those of this process.
    """
    try:
        with remembered_interrupts():
            status = command(arguments)
            sys.stdout.flush()
            return status
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer goes nowhere
        return EXIT_PIPE_CLOSED
