"""Synthetic sessions whose best possible metrics are known, for tests and first steps without any data."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from narm.data.events import Events

# Probability that the next item is the successor of the last; else it is any item, uniformly.
FOLLOW = 0.8

MIN_LENGTH, MAX_LENGTH = 3, 9


def synthetic_events(n_sessions: int = 2_000, n_items: int = 100, seed: int = 2020) -> Events:
    """Sessions of a known Markov chain: the same arguments give the same events.

    A random permutation of the items names each one's successor. The next item is the last one's successor
    with probability `FOLLOW`, and otherwise drawn uniformly from all items. Nothing but the last item says
    anything about the next, so no model can do better, in expectation, than rank the successor first:

        Recall@K = FOLLOW + (1 - FOLLOW) K / n_items
        MRR@K    = FOLLOW + (1 - FOLLOW) H_K / n_items,   H_K = 1 + 1/2 + ... + 1/K

    With 100 items, Recall@1 = MRR@1 = 0.802 and Recall@10 = 0.82, MRR@10 = 0.806 (`ceiling`).
    Sessions have 3 to 9 events, uniformly, and follow one another in time without overlap.

    Args:
        n_sessions: sessions, at least 1.
        n_items: items, raw ids 1..n_items, at least 2.
        seed: seed of the permutation and the sessions.
    """
    rng = np.random.default_rng(seed)
    successor = rng.permutation(n_items)
    lengths = rng.integers(MIN_LENGTH, MAX_LENGTH + 1, size=n_sessions)
    walks = np.empty((MAX_LENGTH, n_sessions), dtype=np.int64)
    walks[0] = rng.integers(n_items, size=n_sessions)
    for step in range(1, MAX_LENGTH):
        follows = rng.random(n_sessions) < FOLLOW
        walks[step] = np.where(follows, successor[walks[step - 1]], rng.integers(n_items, size=n_sessions))
    within = np.arange(MAX_LENGTH)[:, None] < lengths
    items = pa.array(walks.T[within.T] + 1).dictionary_encode()
    return Events(
        sessions=np.repeat(np.arange(n_sessions, dtype=np.int32), lengths),
        items=items.indices.to_numpy(),
        times=np.arange(lengths.sum(), dtype=np.int64),
        session_ids=pa.array(np.arange(1, n_sessions + 1)),
        item_ids=items.dictionary,
    )


def ceiling(cutoff: int, n_items: int = 100) -> tuple[float, float]:
    """The best Recall@cutoff and MRR@cutoff any model can expect on `synthetic_events`."""
    noise = (1 - FOLLOW) / n_items
    return FOLLOW + noise * cutoff, FOLLOW + noise * float(np.sum(1 / np.arange(1, cutoff + 1)))
