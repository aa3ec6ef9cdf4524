"""Sessions as sets of items: each item once, where it occurred last.

Q sessions, N items in all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from narm.data.sessions import Sessions


@dataclass(frozen=True, slots=True)
class DistinctItems:
    """The items of each session, the most recent first.

    Attributes:
        items: int32 [N].
        positions: last position of each in its session, from 1, int32 [N].
        offsets: first item of each session, int64 [Q + 1].
    """

    items: NDArray[np.int32]
    positions: NDArray[np.int32]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, sessions: Sessions) -> DistinctItems:
        """Each item of each session once."""
        session = np.repeat(np.arange(len(sessions)), sessions.lengths)
        backwards = np.lexsort((-np.arange(sessions.n_events), sessions.items, session))
        new = np.ones(len(backwards), dtype=bool)  # of adjacent occurrences, the first is the last in time
        same = (np.diff(session[backwards]) == 0) & (np.diff(sessions.items[backwards]) == 0)
        new[1:] = ~same
        last = np.sort(backwards[new])
        order = np.lexsort((-last, session[last]))
        events = last[order]
        positions = events - sessions.offsets[session[events]] + 1
        counts = np.bincount(session[events], minlength=len(sessions))
        offsets = np.concatenate(([0], np.cumsum(counts)))
        return cls(sessions.items[events], positions.astype(np.int32), offsets)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Items of each session, [Q]."""
        return np.diff(self.offsets)

    @property
    def sessions(self) -> NDArray[np.int64]:
        """The session of each item, [N]."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.counts)
