"""How products over the catalogue are cut into tiles: sizes from the machine's caches, and the memory they use.

A [R, V] matrix of logits streams through memory, and its products then run at half of the processor's speed
or less; a tile that the second-level cache holds is multiplied at full speed.

Shapes: V items, C of them in a tile; R rows of a chunk.
"""

from __future__ import annotations

import functools
import math
import threading
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

ROW_GROUP = 32  # chunks are whole groups: four vectors of eight lanes, which the softmax kernel takes at once
MAX_ROWS = 512  # more rows save nothing: reading the embeddings once a chunk no longer matters by then
MAX_WHOLE_ROWS = 192  # of whole rows each thread has its own: few enough for even shares

_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
# Assumed of a machine that does not say: as little as CPUs of the last ten years come with.
_FALLBACK_CACHES = {2: 256 << 10, 3: 8 << 20}


class TileSize(NamedTuple):
    """Rows of a chunk and items of a tile."""

    rows: int
    items: int


def tile_size(n_items: int, element_size: int) -> TileSize:
    """Tiles that fill the second-level cache, in chunks whose [V, R] matrix stays near the third-level cache.

    A tile has twice as many items as rows, which measured best.

    Args:
        n_items: the size of the catalogue, V.
        element_size: bytes of a number.
    """
    second, third = (cache_bytes(level) // element_size for level in (2, 3))
    # A chunk is written once and read once, in order: twice the cache still streams at full speed
    rows = min(math.isqrt(second // 2), 2 * third // n_items, MAX_ROWS)
    rows = max(rows // ROW_GROUP, 1) * ROW_GROUP
    return TileSize(rows, items=max(second // rows, ROW_GROUP))


def whole_rows(n_items: int, element_size: int) -> int:
    """Rows whose logits of the whole catalogue a core keeps at hand; 0 if too few for products at full speed.

    They may be four times the second-level cache: the third serves the rest, and products of more rows run faster.

    Args:
        n_items: the size of the catalogue, V.
        element_size: bytes of a number.
    """
    rows = 4 * cache_bytes(2) // element_size // n_items
    return min(rows // ROW_GROUP * ROW_GROUP, MAX_WHOLE_ROWS) if rows >= 2 * ROW_GROUP else 0


def even_tiles(n_items: int, limit: int, n_threads: int) -> int:
    """Items of a tile, at most `limit`, such that the threads get equally many tiles of about equal size."""
    n_tiles = math.ceil(n_items / (limit * n_threads)) * n_threads
    return math.ceil(n_items / n_tiles)


@functools.cache
def cache_bytes(level: int) -> int:
    """Size in bytes of the data cache of this level, 2 or 3, as Linux reports it; otherwise a cautious guess."""
    for entry in sorted(_CACHES.glob("index*")):
        try:
            if int((entry / "level").read_text()) == level:
                return int((entry / "size").read_text().strip().removesuffix("K")) << 10
        except (OSError, ValueError):
            continue
    return _FALLBACK_CACHES[level]


class _Memory(threading.local):
    """Memory of each thread, kept between steps: the pages of fresh memory cost more than the arithmetic."""

    def __init__(self) -> None:
        self.blocks: dict[tuple[torch.dtype, torch.device], Tensor] = {}


_memory = _Memory()


def scratch(rows: int, columns: int, like: Tensor) -> Tensor:
    """A matrix with undefined content, of the type and on the device of `like`; valid until the next call."""
    size = rows * columns
    key = (like.dtype, like.device)
    block = _memory.blocks.get(key)
    if block is None or len(block) < size:
        block = _memory.blocks[key] = like.new_empty(size)
    return block[:size].view(rows, columns)
