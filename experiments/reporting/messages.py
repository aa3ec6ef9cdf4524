"""The console that messages go to."""

from __future__ import annotations

import errno
import os

from rich.console import Console


class Messages(Console):
    """A console whose reader may go away before the work is done, as `| head` does; rich would end the program.

    Args:
        stderr: write to standard error, not standard output.
        quiet: write nothing.
        dispensable: whether the work goes on without a reader, since its result is kept elsewhere.
    """

    def __init__(self, *, stderr: bool = False, quiet: bool = False, dispensable: bool = False) -> None:
        super().__init__(stderr=stderr, quiet=quiet)
        self._dispensable = dispensable

    def on_broken_pipe(self) -> None:
        """Be quiet from now on.

        Raises:
            BrokenPipeError: nothing else is left of the work.
        """
        self.quiet = True
        if not self._dispensable:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
