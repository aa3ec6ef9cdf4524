"""Batches of windows: random for training, in order for evaluation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from narm.data.packing import PackedBatch, pack
from narm.data.windows import Windows


def training_batches(
    windows: Windows, n_targets: int, rng: np.random.Generator, *, part: int = 0, parts: int = 1
) -> Iterator[PackedBatch]:
    """Every window once, in random order, about `n_targets` targets a batch; or a part of that order.

    Batches are cut at multiples of `n_targets` in the running count of targets, so that their number is that of
    batches of single targets; a window is never split.

    Args:
        windows: windows of all sessions.
        n_targets: targets in a batch.
        rng: generator of the order; the same for all parts, so that together they have every window once.
        part: which, from 0.
        parts: into how many, about equal ones, the order is divided.
    """
    return _batches(windows, np.array_split(rng.permutation(len(windows)), parts)[part], n_targets)


def ordered_batches(windows: Windows, n_targets: int) -> Iterator[PackedBatch]:
    """Every window once, neighbours in length together, about `n_targets` targets a batch."""
    return _batches(windows, np.argsort(windows.lengths(), kind="stable"), n_targets)


def _batches(windows: Windows, order: NDArray[np.int64], n_targets: int) -> Iterator[PackedBatch]:
    running = np.cumsum(windows.target_counts(order))
    cuts = np.flatnonzero(np.diff((running - 1) // n_targets)) + 1
    for chosen in np.split(order, cuts):
        if len(chosen):
            yield pack(windows, chosen)
