"""Sessions drawn at random, of any size: shaped like a shop's, meaningless in content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from narm.data.sessions import Examples, ItemVocabulary, Sessions, Splits

EVENTS_A_SESSION = 3.6  # Yoochoose: 33.0 million clicks in 9.2 million sessions


def random_items(n_events: int, n_items: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Items from 1 with the long tail of a catalogue: the k-th is drawn in proportion to about 1 / k."""
    drawn = np.exp(rng.random(n_events, dtype=np.float32) * np.float32(np.log(n_items)))
    items: NDArray[np.int32] = np.minimum(drawn.astype(np.int32), n_items - 1)
    return items


def random_offsets(n_events: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Session offsets for that many events: two events and more each, geometric lengths."""
    lengths = 1 + rng.geometric(1 / (EVENTS_A_SESSION - 1), int(n_events / EVENTS_A_SESSION * 1.1))
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    return np.append(offsets[offsets < n_events - 1], n_events)


def write_clicks(path: Path, n_clicks: int, *, n_items: int = 52_739, seed: int = 0) -> None:
    """Write a Parquet log: session_id, item_id (large integers, as shops have), timestamp (seconds, float)."""
    rng = np.random.default_rng(seed)
    offsets = random_offsets(n_clicks, rng)
    lengths = np.diff(offsets)
    begins = np.sort(rng.random(len(lengths)) * 180 * 86_400) + 1.4e9
    within = np.arange(n_clicks) - np.repeat(offsets[:-1], lengths)
    table = pa.table(
        {
            "session_id": np.repeat(np.arange(len(lengths), dtype=np.int64) * 7 + 11, lengths),
            "item_id": random_items(n_clicks, n_items, rng).astype(np.int64) * 3 + 214_500_000,
            "timestamp": np.repeat(begins, lengths) + within * 31.25,
        }
    )
    pq.write_table(table, path)


def random_splits(n_events: int, n_items: int, *, seed: int = 0) -> Splits:
    """Training, validation and test sessions over a catalogue of that size, padding included."""
    rng = np.random.default_rng(seed)
    train, valid, test = (
        Examples.every_prefix(Sessions(random_items(size, n_items, rng), random_offsets(size, rng)))
        for size in (n_events, n_events // 20, n_events // 20)
    )
    return Splits(
        name="generated",
        train=train,
        valid=valid,
        test=test,
        vocabulary=ItemVocabulary(np.arange(1, n_items)),
        max_length=50,
        fingerprint=f"generated-{n_events}-{n_items}-{seed}",
    )
