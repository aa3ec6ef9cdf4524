"""Where a running command shows what it does: a live display on a terminal, plain lines anywhere else."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live

from experiments.reporting.messages import Messages


class Shown(Protocol):
    """Something that a display shows, as the progress of a study."""

    def render(self) -> RenderableType:
        """How it looks now; called from another thread."""


class Display:
    """Where the studies of a command show their progress: live on a terminal, as lines in a log.

    A context manager, within which the live display runs.

    Args:
        console: where to write; stderr by default, so that stdout keeps the results.
        quiet: show nothing.
    """

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        self._console = console or Messages(stderr=True, dispensable=True)
        self._quiet = quiet
        self._shown: list[Shown] = []
        self._live = Live(get_renderable=self._render, console=self._console, refresh_per_second=2)
        self._is_live = self._console.is_terminal and not quiet

    def __enter__(self) -> Self:
        if self._is_live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_live:
            self._live.stop()

    def add(self, shown: Shown) -> None:
        """Show something, below what is shown already."""
        self._shown = [*self._shown, shown]  # a list of its own: the live display is drawn by another thread

    def remove(self, shown: Shown) -> None:
        """Stop updating it; its last state stays on the terminal."""
        self._shown = [other for other in self._shown if other is not shown]
        if self._is_live:
            self._console.print(shown.render())

    def print(self, line: str) -> None:
        """Write a line to a log; a live display shows no lines."""
        if not self._is_live and not self._quiet:
            self._console.print(line, soft_wrap=True, markup=False, highlight=False)

    def _render(self) -> RenderableType:
        return Group(*(shown.render() for shown in self._shown))
