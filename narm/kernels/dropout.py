"""Dropout on the CPU: the mask is a hash of the position, made on the fly and never stored.

torch draws its mask one number after another, 30 ns each; here a vector of positions is hashed at once, and the
backward hashes again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from narm.kernels.compile import inner, kernel


@inner
def _hash(position: Any, seed: Any) -> Any:
    """Spread a position over all 32-bit numbers (lowbias32, C. Wellons, "Prospecting for hash functions", 2018)."""
    x = np.uint32(position ^ seed)
    x = np.uint32(x ^ (x >> np.uint32(16)))
    x = np.uint32(x * np.uint32(0x7FEB352D))
    x = np.uint32(x ^ (x >> np.uint32(15)))
    x = np.uint32(x * np.uint32(0x846CA68B))
    return np.uint32(x ^ (x >> np.uint32(16)))


@kernel("void(i8, i8, real[::1], real[::1], u4, u4, u4, real)")
def drop(
    thread: int, threads: int, values: Any, kept: Any, seed: Any, second_seed: Any, threshold: Any, scale: Any
) -> None:
    """Scale the values whose hash reaches the threshold, and set the others to zero.

    Args:
        thread, threads: this thread's share is a contiguous stretch.
        values, kept: input and output, [N].
        seed, second_seed: of the mask.
        threshold: share of the values to drop, as a part of 2^32.
        scale: 1 / (1 - that share).
    """
    nothing = scale - scale  # of the same type: a plain 0 would turn the loop to float64
    share = (len(values) + threads - 1) // threads
    for i in range(thread * share, min(len(values), (thread + 1) * share)):
        drawn = _hash(_hash(np.uint32(i), seed), second_seed)
        kept[i] = values[i] * (scale if drawn >= threshold else nothing)
