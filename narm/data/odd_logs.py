"""Notes on logs that may not be what they are taken for: times in another unit, events that are there twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from narm.data.events import Events
from narm.data.plausible_times import other_unit
from narm.data.session_log import SessionLog


def notes_on_log(events: Events, log: SessionLog, source: str) -> Iterator[str]:
    """Notes that a person should look at; the log is used all the same.

    Args:
        events: of the log, whose times have the unit that an option says.
        log: the same events, by session.
        source: the file.
    """
    name = Path(source).name
    other = None if events.of_dates else other_unit(events.times, events.ticks_per_second)
    if other:
        yield f"{name}: {other}; here only their order counts"
    if repeated := _n_repeated(log):
        once_more = "the one before once more, with its session, item and time"
        yield f"{name}: {repeated:,} of {log.sessions.n_events:,} events are {once_more}"


def _n_repeated(log: SessionLog) -> int:
    """Events that are the one before them once more, as in a file that was written twice."""
    items, times = log.sessions.items, log.times
    same = (items[1:] == items[:-1]) & (times[1:] == times[:-1])
    same[log.sessions.offsets[1:-1] - 1] = False  # of two sessions
    return int(np.count_nonzero(same))
