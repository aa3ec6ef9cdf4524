"""The rank of the target among all items, and the items of the highest scores; streamed, in O(V) memory.

Item 0 is padding and never ranked.

Shapes: Q rows, V items, D embedding, K items of a list; R rows of a chunk, C items of a tile; P threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from narm.kernels import threads
from narm.kernels.compile import compiled
from narm.machine.tiles import ROW_GROUP, even_tiles, scratch, tile_size


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
    _check_targets(targets, len(weight))
    ranks = torch.empty_like(targets)
    for rows, scores in _score_chunks(hidden, weight):
        ranks[rows] = _chunk_ranks(scores, targets[rows] - 1)
    return ranks


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
    _check_k(k, len(weight))
    best = hidden.new_empty(len(hidden), k)
    items = torch.empty(len(hidden), k, dtype=torch.int64, device=hidden.device)
    for rows, scores in _score_chunks(hidden, weight):
        best[rows], items[rows] = (of_chunk[: len(best[rows])] for of_chunk in _chunk_best(scores, k))
    return best, items + 1


@torch.no_grad()
def ranks_and_top_items(hidden: Tensor, weight: Tensor, targets: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """`target_ranks` [Q], and the items of `top_k` [Q, K], for the price of one product."""
    _check_targets(targets, len(weight))
    _check_k(k, len(weight))
    ranks, items = torch.empty_like(targets), targets.new_empty(len(targets), k)
    for rows, scores in _score_chunks(hidden, weight):
        items[rows] = _chunk_best(scores, k)[1][: len(ranks[rows])]
        ranks[rows] = _chunk_ranks(scores, targets[rows] - 1)  # spoils the scores
    return ranks, items + 1


def _check_targets(targets: Tensor, n_items: int) -> None:
    if len(targets) and (targets.min() < 1 or targets.max() >= n_items):
        raise ValueError(
            f"targets must be items in 1..{n_items - 1}; they reach {int(targets.min())}..{int(targets.max())}"
        )


def _check_k(k: int, n_items: int) -> None:
    if not 1 <= k < n_items:
        raise ValueError(f"k is {k}; it must lie in 1..{n_items - 1}")


def _score_chunks(hidden: Tensor, weight: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """The scores [V - 1, R] of R rows at a time, in memory that the next chunk uses again.

    All products have one shape, since others, above all those of single rows, may round differently. So R is a
    multiple of `ROW_GROUP`, and the last chunk has rows of zeros behind its own.
    """
    if len(hidden) == 0:
        return
    _check_scores(hidden, weight)
    n_items = len(weight) - 1
    size = tile_size(n_items, weight.element_size())
    tiles = _equal_tiles(weight[1:], even_tiles(n_items, size.items, torch.get_num_threads()))
    for start in range(0, len(hidden), size.rows):
        chunk = hidden[start : start + size.rows]
        chunk = functional.pad(chunk, (0, 0, 0, -len(chunk) % ROW_GROUP))
        scores = scratch(len(tiles) * len(tiles[0]), len(chunk), like=hidden)
        _on_threads(hidden.device, _multiply_share, tiles, chunk.T.contiguous(), torch.split(scores, len(tiles[0])))
        yield slice(start, start + size.rows), scores[:n_items]


def _equal_tiles(items: Tensor, items_a_tile: int) -> list[Tensor]:
    """Tiles [C, D] of the items, the last one filled up with zeros."""
    *tiles, last = torch.split(items, items_a_tile)
    return [*tiles, functional.pad(last, (0, 0, 0, items_a_tile - len(last)))]


def _chunk_ranks(scores: Tensor, places: Tensor) -> Tensor:
    """Ranks of the targets, given their places among the items; overwrites the scores."""
    thresholds = scores.new_full((scores.shape[1],), torch.inf)
    thresholds[: len(places)] = scores[places, torch.arange(len(places), device=scores.device)]
    tile = even_tiles(len(scores), tile_size(len(scores), scores.element_size()).items, torch.get_num_threads())
    counts = places.new_zeros(torch.get_num_threads(), len(thresholds))
    _on_threads(scores.device, _count_share, torch.split(scores, tile), thresholds, counts)
    return counts.sum(dim=0)[: len(places)]  # a target reaches its own score, which is the 1 of its rank


def _chunk_best(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k best of each column of [V - 1, R], and their places, both [R, k]."""
    kernels = compiled("best", scores.dtype) if scores.device.type == "cpu" else None
    if kernels is None:
        return best_items(scores.T, k)
    best = scores.new_full((scores.shape[1], k), -torch.inf)
    places = torch.empty(best.shape, dtype=torch.int64)
    thresholds = best[:, 0].clone()
    threads.run(kernels.keep_best, *(tensor.numpy() for tensor in (scores, thresholds, best, places)))
    return best, places


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
def ranks_by_scores(scores: Tensor, targets: Tensor) -> Tensor:
    """`target_ranks` for a model that hands out its scores.

    Args:
        scores: [R, V]; column 0 is of no account.
        targets: items, [R], each in 1..V-1.
    Raises:
        FloatingPointError: a score is NaN or +inf.
    """
    of_items = scores[:, 1:]
    _check_below_infinity(of_items)
    return (of_items >= scores.gather(1, targets[:, None])).sum(dim=1)


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
    _check_below_infinity(values[:, 0])  # NaN is larger than all to topk
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


def _check_below_infinity(scores: Tensor) -> None:
    if not (scores < torch.inf).all():
        raise FloatingPointError("scores are NaN or overflow: the model has diverged")


def _check_scores(hidden: Tensor, weight: Tensor) -> None:
    """Rule NaN out for all scores by a bound on their size: far cheaper than to look at each."""
    bound = hidden.shape[1] * float(hidden.abs().amax()) * float(weight.abs().amax())
    if not bound < torch.finfo(weight.dtype).max:
        raise FloatingPointError(
            f"scores are NaN or overflow (session representations reach {float(hidden.abs().amax())}, "
            f"item embeddings {float(weight.abs().amax())}): the model has diverged"
        )
