"""Softmax losses over so few items that a core's cache holds all logits of some rows: loss and gradients in one pass.

Each thread takes rows of its own, and shares nothing with the others until the items' gradients are added up. A chunk
of rows is three products and one pass over its logits. The tiles of `chunked_softmax`, which larger catalogues
need, have to be rescaled and merged: with a thousand items that takes as long as the products.

Shapes: Q targets, R of them in a chunk, V items, D embedding, P threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from narm.kernels import threads
from narm.kernels.compile import on_tensors
from narm.machine.tiles import ROW_GROUP, scratch

NO_ITEM = -1  # the own item of a row that has none

CrossEntropy = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], None]
# (rows of the chunk, their hidden states [R, D], room for logits [V or V + 1, R]): writes the logits
Fill = Callable[[slice, Tensor, Tensor], None]


def full(
    hidden: Tensor, weight: Tensor, factors: Tensor | None, targets: Tensor, rows_a_chunk: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Cross-entropy of each target among all items, with the gradients of its mean.

    Args:
        hidden: [Q, D].
        weight: rows of the items, [V, D].
        factors: what the logits of each item are multiplied by, [V]; None: nothing.
        targets: items, [Q].
        rows_a_chunk: rows that a thread takes at a time, a multiple of `ROW_GROUP`.
    Returns:
        losses [Q], and gradients for hidden [Q, D] and for the items' rows times their factors, which have these once
        more, [V, D].
    """
    weight = weight.detach().contiguous()

    def fill(rows: slice, hidden: Tensor, logits: Tensor) -> None:
        torch.mm(weight, hidden.T, out=logits)

    return _loss_and_gradients(hidden, targets, weight, factors, len(weight), fill, rows_a_chunk)


def sampled(
    hidden: Tensor, item_rows: Tensor, item_bias: Tensor, own_logits: Tensor, places: Tensor, rows_a_chunk: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Cross-entropy of each target among itself and the items, with the gradients of its mean.

    Args:
        hidden: [Q, D].
        item_rows: [V, D].
        item_bias: to add to the items' logits, [V].
        own_logits: logits of the targets, [Q].
        places: which item is the row's target and thus left out, or -1, [Q].
        rows_a_chunk: rows that a thread takes at a time, a multiple of `ROW_GROUP`.
    Returns:
        losses [Q], and gradients for hidden [Q, D], without what comes through own_logits, and item_rows [V, D].
    """
    item_rows, bias = item_rows.detach().contiguous(), item_bias.unsqueeze(1)
    n_items, fill_up = len(item_rows), -len(hidden) % ROW_GROUP
    own_logits = functional.pad(own_logits, (0, fill_up))
    places = functional.pad(places, (0, fill_up), value=NO_ITEM)

    def fill(rows: slice, hidden: Tensor, logits: Tensor) -> None:
        torch.addmm(bias, item_rows, hidden.T, out=logits[:n_items])
        logits[n_items] = own_logits[rows]
        own = (places[rows] >= 0).nonzero().squeeze(1)
        logits[places[rows][own], own] = -math.inf

    targets = torch.full_like(places[: len(hidden)], n_items)
    return _loss_and_gradients(hidden, targets, item_rows, None, n_items + 1, fill, rows_a_chunk)


def _loss_and_gradients(
    hidden: Tensor,
    targets: Tensor,
    item_rows: Tensor,
    factors: Tensor | None,
    n_logits: int,
    fill: Fill,
    rows_a_chunk: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Losses and gradients, given how logits are made and which of them is each row's target."""
    n_rows, fill_up = len(hidden), -len(hidden) % ROW_GROUP
    hidden = functional.pad(hidden.detach(), (0, 0, 0, fill_up)).contiguous()
    targets = functional.pad(targets, (0, fill_up))
    shift, mass, losses = hidden.new_empty(3, n_rows + fill_up)
    grad_hidden = torch.empty_like(hidden)
    grad_items = hidden.new_zeros(torch.get_num_threads(), *item_rows.shape)
    rooms = scratch(torch.get_num_threads(), n_logits * rows_a_chunk, like=hidden)
    cross_entropy = _cross_entropy(factors, hidden.dtype)

    @torch.no_grad()
    def share_of_rows(thread: int, n_threads: int) -> None:
        for rows in row_chunks(len(hidden), thread, n_threads, rows_a_chunk):
            some = hidden[rows]
            logits = rooms[thread, : n_logits * len(some)].view(n_logits, len(some))
            fill(rows, some, logits)
            cross_entropy(logits, targets[rows], shift[rows], mass[rows], losses[rows])
            scale = mass[rows].mul_(n_rows).reciprocal_().unsqueeze(1)  # of a row in the mean, over its mass
            pull = logits[: len(item_rows)]
            torch.mm(pull.T, item_rows, out=grad_hidden[rows]).mul_(scale)
            grad_items[thread].addmm_(pull, some * scale)

    threads.run(share_of_rows)
    summed = grad_items[0] if len(grad_items) == 1 else grad_items.sum(dim=0)  # else a copy, [V, D]
    return losses[:n_rows], grad_hidden[:n_rows], summed


def _cross_entropy(factors: Tensor | None, dtype: torch.dtype) -> CrossEntropy:
    """The kernel, or its reference, with the factors that there are."""
    if factors is None:
        return on_tensors("softmax", "cross_entropy", dtype, cross_entropy_reference)
    scaled = on_tensors("softmax", "scaled_cross_entropy", dtype, scaled_cross_entropy_reference)
    return lambda logits, *of_rows: scaled(logits, factors, *of_rows)


def row_chunks(n_rows: int, thread: int, n_threads: int, rows_a_chunk: int) -> list[slice]:
    """One thread's rows: a stretch of whole groups, cut into chunks."""
    share = math.ceil(n_rows / (n_threads * ROW_GROUP)) * ROW_GROUP
    end = min((thread + 1) * share, n_rows)
    return [slice(start, min(start + rows_a_chunk, end)) for start in range(thread * share, end, rows_a_chunk)]


def cross_entropy_reference(logits: Tensor, targets: Tensor, shift: Tensor, mass: Tensor, losses: Tensor) -> None:
    """What `narm.kernels.softmax.cross_entropy` does, and with the same arguments, in torch."""
    rows = torch.arange(len(targets))
    torch.amax(logits, dim=0, out=shift)
    own = logits[targets, rows] - shift
    torch.sum(logits.sub_(shift).exp_(), dim=0, out=mass)
    torch.sub(mass.log(), own, out=losses)
    logits[targets, rows] -= mass


def scaled_cross_entropy_reference(logits: Tensor, factors: Tensor, *of_rows: Tensor) -> None:
    """What `narm.kernels.softmax.scaled_cross_entropy` does, and with the same arguments, in torch."""
    cross_entropy_reference(logits.mul_(factors.unsqueeze(1)), *of_rows)
    logits.mul_(factors.unsqueeze(1))
