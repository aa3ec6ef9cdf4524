"""Popular items, for everyone or in the session at hand.

Q prefixes, V items.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from narm.baselines.baseline import Baseline, Scores
from narm.data.sessions import Examples, Sessions


class Popularity(Baseline):
    """POP: the items with the most events in train, whatever the session.

    Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks", ICLR 2016, section 4.1. Differs
    from it: nothing.
    """

    learned = ("counts",)
    counts: NDArray[np.int64]
    """Events of each item in train, [V]."""

    def learn(self, train: Examples) -> None:
        """Count the events of each item."""
        self.counts = np.bincount(train.sessions.items, minlength=self.n_items)

    def score(self, prefixes: Sessions) -> Scores:
        """The number of events, [Q, V]."""
        return np.tile(self.counts.astype(np.float64), (len(prefixes), 1))


class SessionPopularity(Popularity):
    """S-POP: the items with the most events in the session so far; ties, and all other items, by popularity in train.

    Hidasi et al., ICLR 2016, section 4.1, break ties "up by global popularity" as here. The score of an item is its
    events in the session + its share of train, count / (largest count + 1), which is below 1 and so decides ties only.
    """

    def score(self, prefixes: Sessions) -> Scores:
        """Events in the session, and a share in 0..1, [Q, V]."""
        scores: Scores = super().score(prefixes) / (self.counts.max() + 1)
        session = np.repeat(np.arange(len(prefixes)), prefixes.lengths)
        np.add.at(scores, (session, prefixes.items), 1.0)
        return scores
