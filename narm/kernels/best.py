"""The K best items of each row, in one pass over scores that the cache still holds.

Rows stand in the lanes of the vectors: nearly always none of eight scores reaches its row's list, and one comparison
says so. `torch.topk` copies and heaps each row, and takes longer than the product that made the scores.

Shapes: C items, R rows, a multiple of `LANES`; K items of a list.
"""

from __future__ import annotations

from typing import Any

from narm.kernels.compile import inner, kernel
from narm.kernels.simd import LANES, above, load


@inner
def _insert(score: Any, item: Any, row: Any, thresholds: Any, best: Any, items: Any) -> None:
    """Put an item into its place in the row's list, behind those that score as high."""
    last = best.shape[1] - 1
    place = last
    while place > 0 and score > best[row, place - 1]:
        best[row, place] = best[row, place - 1]
        items[row, place] = items[row, place - 1]
        place -= 1
    best[row, place] = score
    items[row, place] = item
    thresholds[row] = best[row, last]


@kernel("void(i8, i8, real[:, ::1], real[::1], real[:, ::1], i8[:, ::1])")
def keep_best(thread: int, threads: int, scores: Any, thresholds: Any, best: Any, items: Any) -> None:
    """Keep the best items of each row, best first; of equal scores the lower item comes first.

    Args:
        thread, threads: this thread's share is a contiguous stretch of rows.
        scores: [C, R]; not NaN.
        thresholds: the lowest score of each list, [R], at first -inf.
        best: scores of the lists, [R, K], at first -inf.
        items: the lists, [R, K]: places among the C items.
    """
    n_items, n_rows = scores.shape
    share = (n_rows // LANES + threads - 1) // threads * LANES
    first, end = thread * share, min(n_rows, (thread + 1) * share)
    for item in range(n_items):
        for group in range(first, end, LANES):
            if above(load(scores, item * n_rows + group), load(thresholds, group)):
                for row in range(group, group + LANES):
                    if scores[item, row] > thresholds[row]:
                        _insert(scores[item, row], item, row, thresholds, best, items)
