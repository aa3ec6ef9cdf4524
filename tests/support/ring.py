"""Sessions on a ring of items: the next item is always the one after."""

from __future__ import annotations

import numpy as np

from narm.data.sessions import Examples, ItemVocabulary, Sessions, Splits


def random_sessions(n_sessions: int, n_items: int, longest: int, *, seed: int = 0) -> Sessions:
    """Sessions that walk a ring of items from a random start, 2..longest events each."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, longest + 1, n_sessions)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    starts = rng.integers(0, n_items - 1, n_sessions)
    steps = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    items = (np.repeat(starts, lengths) + steps) % (n_items - 1) + 1
    return Sessions(items.astype(np.int32), offsets)


def ring_of_items() -> Splits:
    """A ring of 19 items, 101..119: the next item is always the one after, so a good model gets every target."""
    train, valid, test = (
        Examples.every_prefix(random_sessions(n, 20, 15, seed=seed)) for seed, n in enumerate((120, 20, 20))
    )
    vocabulary = ItemVocabulary(np.arange(101, 120))
    return Splits("ring", train, valid, test, vocabulary, max_length=6, fingerprint="ring")
