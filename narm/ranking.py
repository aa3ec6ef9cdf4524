"""Where the target stands among all items, and which items stand first; streamed, in O(V) memory.

Item 0 is padding and never ranked.

Shapes: Q rows, V items, D embedding, K items of a list; R rows of a chunk, C items of a tile; P threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from narm.kernels import threads
from narm.tiles import ROW_GROUP, even_tiles, scratch, tile_size


@torch.no_grad()
def target_ranks(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Rank of each target among the items: 1 + the number of other items that score as high or higher.

    Ties count against the target, so that a constant scorer ranks it last. Its score is one of those compared,
    not a product of its own, which might round differently and break a tie.

    Args:
        hidden: session representations, [Q, D].
        weight: item embeddings, [V, D].
        targets: items, [Q], each in 1..V-1.
    Returns:
        ranks, [Q] int64, each in 1..V-1.
    Raises:
        ValueError: a target is not an item.
        FloatingPointError: scores are NaN, or too large for their type.
    """
    ranks = torch.empty_like(targets)
    if len(targets) == 0:
        return ranks
    if targets.min() < 1 or targets.max() >= len(weight):
        raise ValueError(
            f"targets must be items in 1..{len(weight) - 1}; they reach {int(targets.min())}..{int(targets.max())}"
        )
    _check_scores(hidden, weight)
    items = weight[1:]
    size = tile_size(len(items), weight.element_size())
    item_tiles = _equal_tiles(items, even_tiles(len(items), size.items, torch.get_num_threads()))
    for start in range(0, len(hidden), size.rows):
        rows = slice(start, start + size.rows)
        ranks[rows] = _chunk_ranks(hidden[rows], item_tiles, targets[rows] - 1, len(items))
    return ranks


def _equal_tiles(items: Tensor, items_a_tile: int) -> list[Tensor]:
    """Tiles [C, D] of the items, the last one filled up with zeros."""
    *tiles, last = torch.split(items, items_a_tile)
    return [*tiles, functional.pad(last, (0, 0, 0, items_a_tile - len(last)))]


def _chunk_ranks(hidden: Tensor, item_tiles: list[Tensor], places: Tensor, n_items: int) -> Tensor:
    """Ranks of R targets, [R], given their places among the items.

    All products have one shape, since others, above all those of single rows, may round differently.
    """
    n_rows, items_a_tile = len(hidden), len(item_tiles[0])
    fill = -n_rows % ROW_GROUP
    hidden, places = functional.pad(hidden, (0, 0, 0, fill)), functional.pad(places, (0, fill))
    scores = scratch(len(item_tiles) * items_a_tile, len(hidden), like=hidden)
    _on_threads(hidden.device, _multiply_share, item_tiles, hidden.T.contiguous(), torch.split(scores, items_a_tile))
    scores = scores[:n_items]
    target_scores = scores[places, torch.arange(len(hidden), device=hidden.device)]
    counts = places.new_zeros(torch.get_num_threads(), len(hidden))
    _on_threads(hidden.device, _count_share, torch.split(scores, items_a_tile), target_scores, counts)
    return counts.sum(dim=0)[:n_rows]  # a target reaches its own score, which is the 1 of its rank


def _on_threads(device: torch.device, work: Callable[..., None], *arguments: Any) -> None:
    """Share tiles among the CPU's threads, each in its own cache; other devices divide the work themselves."""
    if device.type == "cpu":
        threads.run(work, *arguments)
    else:
        work(0, 1, *arguments)


@torch.no_grad()  # which holds for one thread only
def _multiply_share(
    thread: int, n_threads: int, item_tiles: list[Tensor], across: Tensor, tiles: tuple[Tensor, ...]
) -> None:
    for t in range(thread, len(tiles), n_threads):
        torch.mm(item_tiles[t], across, out=tiles[t])


@torch.no_grad()
def _count_share(thread: int, n_threads: int, tiles: tuple[Tensor, ...], thresholds: Tensor, counts: Tensor) -> None:
    """Count the scores of each row that reach its threshold [R], in the thread's row of counts [P, R]."""
    for t in range(thread, len(tiles), n_threads):
        # comparing into numbers and not truth values: adding these up is vectorised, and exact up to 2**24
        reached = torch.ge(tiles[t], thresholds, out=tiles[t])
        counts[thread] += reached.sum(dim=0).long()


@torch.no_grad()
def top_k(hidden: Tensor, weight: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The K best items of each row, best first; of equal scores the lower item comes first.

    Args:
        hidden: session representations, [Q, D].
        weight: item embeddings, [V, D].
        k: how many, in 1..V-1.
    Returns:
        scores [Q, K] and items [Q, K] int64.
    Raises:
        ValueError: `k` is not in 1..V-1.
        FloatingPointError: scores are NaN, or too large for their type.
    """
    n_items = len(weight) - 1
    if not 1 <= k <= n_items:
        raise ValueError(f"k is {k}; it must lie in 1..{n_items}")
    if len(hidden) == 0:
        return hidden.new_empty(0, k), torch.empty(0, k, dtype=torch.int64, device=hidden.device)
    _check_scores(hidden, weight)
    size = tile_size(n_items, weight.element_size())
    best = []
    for rows in torch.split(hidden, size.rows):
        scores = scratch(len(rows), n_items, like=hidden)
        for tile, items in zip(
            torch.split(scores, size.items, dim=1), torch.split(weight[1:], size.items), strict=True
        ):
            torch.mm(rows, items.T, out=tile)
        best.append(best_items(scores, k))
    return torch.cat([values for values, _ in best]), torch.cat([items for _, items in best]) + 1


@torch.no_grad()
def best_items(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The K best columns of each row, best first; of equal scores the lower column comes first.

    `torch.topk` promises no order of equal scores, nor which of them it takes.

    Args:
        scores: [R, V]; -inf bars an item.
        k: how many, in 1..V.
    Returns:
        scores [R, K] and columns [R, K] int64.
    Raises:
        FloatingPointError: a score is NaN or +inf.
    """
    values, items = torch.topk(scores, min(k + 1, scores.shape[1]), dim=1)
    if not (values[:, 0] < torch.inf).all():  # NaN is larger than all to topk
        raise FloatingPointError("scores are NaN or overflow: the model has diverged")
    if values.shape[1] > k:
        torn = torch.nonzero(values[:, k - 1] == values[:, k]).squeeze(1)
        items = items[:, :k]
        items[torn] = _first_of_equals(scores[torn], values[torn, k - 1 : k], k)
    items = items.sort(dim=1).values
    values, order = scores.gather(1, items).sort(dim=1, descending=True, stable=True)
    return values, items.gather(1, order)


def _first_of_equals(scores: Tensor, thresholds: Tensor, k: int) -> Tensor:
    """Columns [R, K] of all scores above a row's threshold [R, 1], and of the first that equal it."""
    above, equal = scores > thresholds, scores == thresholds
    room = k - above.sum(dim=1, keepdim=True)
    chosen = above | (equal & (equal.cumsum(dim=1) <= room))
    return chosen.nonzero()[:, 1].view(-1, k)


def _check_scores(hidden: Tensor, weight: Tensor) -> None:
    """Rule NaN out for all scores by a bound on their size: far cheaper than to look at each."""
    bound = hidden.shape[1] * float(hidden.abs().amax()) * float(weight.abs().amax())
    if not bound < torch.finfo(weight.dtype).max:
        raise FloatingPointError(
            f"scores are NaN or overflow (session representations reach {float(hidden.abs().amax())}, "
            f"item embeddings {float(weight.abs().amax())}): the model has diverged"
        )
