"""Logs of users, cut into sessions where nothing happens for a while."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from narm.data.events import Events, dense
from narm.data.plausible_times import require_seconds
from narm.data.session_log import order_by_session
from narm.text.duration import parse_duration


def sessions_by_gap(events: Events, gap: str) -> Events:
    """Cut each user's events where the next one is more than `gap` later; session 2 of user `u` is `u/2`.

    Args:
        events: at least one, whose sessions are users.
        gap: such as `30m`.
    Raises:
        InputError: the times have no unit, or another one than said.
    """
    ticks = parse_duration(gap).seconds * require_seconds(events.times, events.ticks_per_second, "session_gap")
    order = order_by_session(events.sessions, events.times)
    users, times = events.sessions[order], events.times[order]
    begins = np.ones(len(users), dtype=bool)
    new_user = users[1:] != users[:-1]
    begins[1:] = new_user | (times[1:] - times[:-1] > ticks)
    user_of_session = users[begins]
    first_of_user = np.flatnonzero(np.diff(user_of_session, prepend=-1))
    n_before = np.repeat(first_of_user, np.diff(np.append(first_of_user, len(user_of_session))))
    numbers = pa.array(np.arange(len(user_of_session)) - n_before + 1).cast(pa.string())
    user_ids = events.session_ids.take(pa.array(user_of_session)).cast(pa.string())
    sessions = np.empty(len(users), dtype=np.int32)
    sessions[order] = np.cumsum(begins, dtype=np.int32) - 1
    codes, session_ids = dense(sessions, pc.binary_join_element_wise(user_ids, numbers, "/"))
    return replace(events, sessions=codes, session_ids=session_ids, of_users=False)
