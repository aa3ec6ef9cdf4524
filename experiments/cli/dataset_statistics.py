"""What a dataset looks like: a table of its parts, and a plot of lengths, popularity and time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from experiments.reporting.narrow import print_widest
from narm.data.session_log import SessionLog
from narm.machine.files import atomic_file

LONGEST_SHOWN = 50
FIRST_DATE, LAST_DATE = 3_652, 47_482  # 1980 to 2099, in days since 1970; other times are shown as the numbers they are
TIME_BINS = 60


def print_statistics(parts: Mapping[str, SessionLog], console: Console) -> None:
    """Print a column a part: its sessions, events, targets, items, lengths and days."""
    columns = {name: _statistics(log) for name, log in parts.items()}
    print_widest(console, (_table(columns, padding) for padding in ((0, 1), (0, 0))))


def _table(columns: Mapping[str, Mapping[str, str]], padding: tuple[int, int]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=padding, pad_edge=any(padding), show_edge=any(padding))
    table.add_column("", overflow="fold")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for what in next(iter(columns.values())):
        table.add_row(what, *(column[what] for column in columns.values()))
    return table


def _statistics(log: SessionLog) -> dict[str, str]:
    lengths = log.sessions.lengths
    return {
        "sessions": f"{len(log):,}",
        "events": f"{log.sessions.n_events:,}",
        "targets": f"{log.sessions.n_events - len(log):,}",
        "items": f"{len(np.unique(log.sessions.items)):,}",
        "events in a session, mean": f"{lengths.mean():.2f}",
        "median": f"{np.median(lengths):.0f}",
        "95 % have at most": f"{np.quantile(lengths, 0.95):.0f}",
        "longest": f"{lengths.max():,}",
        "from": describe_time(log.times.min(), log),
        "to": describe_time(log.times.max(), log),
    }


def describe_time(time: float, log: SessionLog) -> str:
    """A time as a date, if it can be one since 1980, else as the number that it is."""
    days = float(time) / (86_400 * (log.ticks_per_second or 1))
    if log.ticks_per_second is None or not FIRST_DATE <= days <= LAST_DATE:
        return f"{time:,.0f}"
    return f"{datetime.fromtimestamp(days * 86_400, UTC):%Y-%m-%d}"


def save_plot(parts: Mapping[str, SessionLog], title: str, path: Path) -> None:
    """Draw session lengths, item popularity and events over time as a PNG."""
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    lengths, popularity, time = figure.subplots(1, 3)
    for name, log in parts.items():
        _plot_lengths(lengths, log, name)
        _plot_popularity(popularity, log, name)
    _plot_time(time, parts)
    for axes in (lengths, popularity, time):
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    figure.suptitle(title)
    with atomic_file(path) as file:
        figure.savefig(file, format="png", dpi=120)


def _plot_lengths(axes: Axes, log: SessionLog, name: str) -> None:
    shown = np.minimum(log.sessions.lengths, LONGEST_SHOWN)
    counts = np.bincount(shown)
    present = np.flatnonzero(counts)
    axes.plot(present, counts[present], marker=".", label=name)
    axes.set(xlabel=f"events in a session ({LONGEST_SHOWN}: and more)", ylabel="sessions", yscale="log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _plot_popularity(axes: Axes, log: SessionLog, name: str) -> None:
    counts = np.sort(np.bincount(log.sessions.items))[::-1]
    counts = counts[counts > 0]
    axes.plot(np.arange(1, len(counts) + 1), counts, label=name)
    axes.set(xlabel="item, by popularity", ylabel="events", xscale="log", yscale="log")


def _plot_time(axes: Axes, parts: Mapping[str, SessionLog]) -> None:
    edges = _edges(parts)
    for name, log in parts.items():
        counts, _ = np.histogram(_days(log), bins=edges)
        axes.stairs(counts, edges, label=name)
    if _are_dates(edges):
        axes.xaxis_date()
        axes.tick_params(axis="x", rotation=30)
    has_unit = all(log.ticks_per_second is not None for log in parts.values())
    axes.set(xlabel="days" if has_unit else "order of events", ylabel="events")


def _are_dates(days: NDArray[np.float64]) -> bool:
    return bool(days.min() >= FIRST_DATE and days.max() <= LAST_DATE)


def _edges(parts: Mapping[str, SessionLog]) -> NDArray[np.float64]:
    days = [_days(log) for log in parts.values()]
    first, last = min(float(d.min()) for d in days), max(float(d.max()) for d in days)
    return np.linspace(first, last if last > first else first + 1, TIME_BINS + 1)


def _days(log: SessionLog) -> NDArray[np.float64]:
    """Times in days since zero of their clock, or as they are when they have no unit."""
    return log.times / (86_400 * log.ticks_per_second) if log.ticks_per_second else log.times.astype(np.float64)
