"""Softmax losses on the CPU: the loss and its gradients in one pass over the logits, tile by tile.

While a tile of logits is in the cache it becomes exponentials, relative to about the largest logit so far, and
enters the gradient of the hidden states: the online softmax (Milakov & Gimelshein, arXiv:1805.02867). The
exponentials of a chunk of rows are kept until its normalisers are known, and then enter the gradient of the
embeddings; it is the hidden states that are normalised there, [R, D], not the exponentials, [V, R].

Tiles are items by rows, [C, R], the layout in which all three products run fastest. A thread takes every P-th
tile and multiplies it alone, so that a tile stays in one core's cache and no thread waits for another before
the end of a chunk, where their partial softmaxes are merged. A catalogue so small that a core's cache holds all
logits of some rows takes a shorter way (`narm.losses.row_softmax`).

Shapes: Q targets, R of them in a chunk, V items, C of them in a tile, T tiles, D embedding, M sampled items,
P threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from narm.kernels import threads
from narm.kernels.compile import on_tensors
from narm.layers.unit_rows import inverse_lengths, take_out
from narm.losses import row_softmax
from narm.losses.label_smoothing import smooth_full, smooth_sampled
from narm.machine.tiles import ROW_GROUP, even_tiles, scratch, tile_size, whole_rows

SLACK = 8.0  # how far logits may exceed the shift before it follows them: `narm.kernels.softmax` says why
LOWEST_EXPONENT = -80.0  # smaller factors are below all rounding, and would make denormal numbers
NO_ITEM = -1  # the target of a row that only fills up a chunk

TilePass = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor], None]


class FullSoftmax(torch.autograd.Function):
    """Mean cross-entropy over all items, a scalar.

    Arguments: hidden [Q, D], weight [V, D], targets [Q]; whether the items' rows are brought to length one; label
    smoothing.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, unit_items: bool, smoothing: float
    ) -> Tensor:
        """Compute the loss and already the gradients."""
        ctx.save_for_backward(hidden, weight, targets)
        ctx.compute = partial(_full, unit_items, smoothing)
        loss: Tensor
        loss, *ctx.gradients = ctx.compute(hidden, weight, targets)
        return loss

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_loss: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients for hidden and weight."""
        return *_hand_out(ctx, grad_loss), None, None, None


class SampledSoftmax(torch.autograd.Function):
    """Mean cross-entropy of each target among itself and M distinct items, a scalar.

    Arguments: hidden [Q, D], target_rows [Q, D] and item_rows [M, D] of the embedding, target_bias [Q] and
    item_bias [M] to add to the logits, places [Q]: which of the items is the row's target and thus left out,
    or -1; label smoothing.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        target_rows: Tensor,
        item_rows: Tensor,
        target_bias: Tensor,
        item_bias: Tensor,
        places: Tensor,
        smoothing: float,
    ) -> Tensor:
        """Compute the loss and already the gradients."""
        arguments = (hidden, target_rows, item_rows, target_bias, item_bias, places)
        ctx.save_for_backward(*arguments)
        ctx.compute = partial(_sampled, smoothing)
        loss: Tensor
        loss, *ctx.gradients = ctx.compute(*arguments)
        return loss

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_loss: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients for hidden and both sets of rows."""
        return *_hand_out(ctx, grad_loss), None, None, None, None


def _hand_out(ctx: Any, grad_loss: Tensor) -> tuple[Tensor, ...]:
    """The gradients of the forward, without a copy; a second backward has them computed again."""
    gradients: tuple[Tensor, ...] = tuple(ctx.gradients or ctx.compute(*ctx.saved_tensors)[1:])
    ctx.gradients = None
    if grad_loss != 1:
        for gradient in gradients:
            gradient.mul_(grad_loss)
    return gradients


def _full(
    unit_items: bool, smoothing: float, hidden: Tensor, weight: Tensor, targets: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The mean loss, and its gradients for hidden and weight."""
    factors = inverse_lengths(weight) if unit_items else None
    if n_rows := whole_rows(len(weight), weight.element_size()):
        # multiplied by the factors are logits, which are in the cache, and not the rows
        losses, grad_hidden, grad_weight = row_softmax.full(hidden, weight, factors, targets, n_rows)
        if smoothing:
            losses = losses + smooth_full(smoothing, hidden, weight, factors, targets, grad_hidden, grad_weight)
    else:
        rows = weight if factors is None else weight * factors.unsqueeze(1)
        losses, grad_hidden, grad_weight = _full_in_tiles(hidden, rows, targets)
        if smoothing:
            losses = losses + smooth_full(smoothing, hidden, rows, None, targets, grad_hidden, grad_weight)
        if factors is not None:
            grad_weight.mul_(factors.unsqueeze(1))
    if factors is not None:
        take_out(grad_weight, weight, factors)
    return losses.mean(), grad_hidden, grad_weight


def _full_in_tiles(hidden: Tensor, weight: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The losses [Q], and the gradients of their mean for hidden and weight."""
    share = 1 / len(hidden)  # of one row in the mean
    losses = hidden.new_empty(len(hidden))
    grad_hidden = torch.empty_like(hidden, memory_format=torch.contiguous_format)
    items = _Items(weight)
    for rows in items.chunks(len(hidden)):
        chunk = _Chunk(hidden[rows], targets[rows], items)
        chunk.process_items()
        chunk.add_item_gradients(share)
        losses[rows] = chunk.normalisers() - chunk.target_logits[: chunk.n_rows]
        grad_hidden[rows] = chunk.grad_hidden(share)
    # the softmax had p for the targets, where p - 1 is due
    grad_hidden.sub_(weight[targets], alpha=share)
    items.gradient.index_add_(0, targets, hidden, alpha=-share)
    return losses, grad_hidden, items.gradient


def _sampled(
    smoothing: float,
    hidden: Tensor,
    target_rows: Tensor,
    item_rows: Tensor,
    target_bias: Tensor,
    item_bias: Tensor,
    places: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The mean loss, and its gradients for hidden, target_rows and item_rows."""
    target_logits = (hidden * target_rows).sum(dim=1) + target_bias
    if n_rows := whole_rows(len(item_rows) + 1, item_rows.element_size()):
        losses, grad_hidden, grad_items = row_softmax.sampled(
            hidden, item_rows, item_bias, target_logits, places, n_rows
        )
    else:
        losses, grad_hidden, grad_items = _sampled_in_tiles(hidden, item_rows, item_bias, target_logits, places)
    grad_logits = (-losses).expm1_().div_(len(losses)).unsqueeze(1)  # of the targets: p - 1
    grad_hidden.addcmul_(grad_logits, target_rows)
    gradients = grad_hidden, grad_logits * hidden, grad_items
    if smoothing:
        losses = losses + smooth_sampled(smoothing, hidden, target_rows, item_rows, places, gradients)
    return losses.mean(), *gradients


def _sampled_in_tiles(
    hidden: Tensor, item_rows: Tensor, item_bias: Tensor, target_logits: Tensor, places: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The losses [Q], and the gradients of their mean for hidden, as far as the items go, and item_rows."""
    share = 1 / len(hidden)  # of one row in the mean
    losses = torch.empty_like(target_logits)
    grad_hidden = torch.empty_like(hidden, memory_format=torch.contiguous_format)
    items = _Items(item_rows, item_bias)
    for rows in items.chunks(len(hidden)):
        chunk = _Chunk(hidden[rows], places[rows], items)
        chunk.start_with(target_logits[rows])
        chunk.process_items()
        chunk.add_item_gradients(share)
        losses[rows] = chunk.normalisers() - target_logits[rows]
        grad_hidden[rows] = chunk.grad_hidden(share)
    return losses, grad_hidden, items.gradient


class _Items:
    """The rows of an embedding and their gradient, cut into tiles."""

    def __init__(self, rows: Tensor, bias: Tensor | None = None) -> None:
        """Take rows [V, D]; with a bias [V] to add to the logits, targets are left out."""
        size = tile_size(len(rows), rows.element_size())
        self.n_items = len(rows)
        self.rows_a_chunk = size.rows
        self.items_a_tile = even_tiles(len(rows), size.items, torch.get_num_threads())
        self.gradient = torch.zeros_like(rows, memory_format=torch.contiguous_format)
        self.tiles = self.cut(rows.detach())
        self.gradient_tiles = self.cut(self.gradient)
        self.bias_tiles = None if bias is None else self.cut(bias.unsqueeze(1))

    def cut(self, rows: Tensor) -> tuple[Tensor, ...]:
        """Tiles of anything that has a row for each item."""
        return torch.split(rows, self.items_a_tile)

    def chunks(self, n_rows: int) -> Iterator[slice]:
        """The chunks into which so many targets are divided."""
        for start in range(0, n_rows, self.rows_a_chunk):
            yield slice(start, min(start + self.rows_a_chunk, n_rows))


class _Chunk:
    """R rows, and the softmax of the items that they have been multiplied with so far."""

    def __init__(self, hidden: Tensor, targets: Tensor, items: _Items) -> None:
        """Take hidden states [R, D] and targets [R], and fill them up to whole groups of rows."""
        self.n_rows = len(hidden)
        fill = -self.n_rows % ROW_GROUP
        self.hidden = functional.pad(hidden.detach(), (0, 0, 0, fill)).contiguous()
        self.targets = functional.pad(targets, (0, fill), value=NO_ITEM)
        self.target_logits = self.hidden.new_zeros(self.n_rows + fill)
        self.items = items
        self.exponentials = items.cut(scratch(items.n_items, self.n_rows + fill, like=hidden))  # T of [C, R]
        self.shifts = self.hidden.new_empty(len(items.tiles), self.n_rows + fill)  # what each tile is relative to
        self.partial = _PartialSoftmax.empty(torch.get_num_threads(), self.hidden)

    def start_with(self, logits: Tensor) -> None:
        """Start the softmax of each row with one item of its own, whose logits are [R]."""
        self.partial.shift[0] = functional.pad(logits, (0, len(self.hidden) - self.n_rows))
        self.partial.mass[0] = 1

    def process_items(self) -> None:
        """Compute exponentials of the logits of all items, their sums, and the hidden states' gradient."""
        across = self.hidden.T.contiguous()
        threads.run(
            self._process_tiles,
            across,
            on_tensors("softmax", "online_softmax", self.hidden.dtype, online_softmax_reference),
        )
        self.partial = self.partial.merged()

    @torch.no_grad()
    def _process_tiles(self, thread: int, n_threads: int, across: Tensor, tile_pass: TilePass) -> None:
        """One thread's tiles."""
        part = self.partial
        shift, mass, pulled = part.shift[thread], part.mass[thread], part.pulled[thread]
        for t in range(thread, len(self.items.tiles), n_threads):
            tile = self.exponentials[t]
            torch.mm(self.items.tiles[t], across, out=tile)
            places = self.targets - t * self.items.items_a_tile
            if self.items.bias_tiles is not None:
                tile.add_(self.items.bias_tiles[t])
                rows = _rows_within(places, len(tile))
                tile[places[rows], rows] = -math.inf
            tile_pass(tile, places, self.target_logits, shift, self.shifts[t], mass, pulled)
            pulled.addmm_(self.items.tiles[t].T, tile)
            shift = self.shifts[t]
        part.shift[thread] = shift

    def add_item_gradients(self, share: float) -> None:
        """Add the embeddings' gradient: for each item the sum over rows of share * p * hidden."""
        relative = self.shifts - self.partial.normaliser()
        scales = relative.clamp_(min=LOWEST_EXPONENT).exp_().mul_(share)
        threads.run(self._add_item_gradients_of_tiles, scales.unsqueeze(2))

    @torch.no_grad()
    def _add_item_gradients_of_tiles(self, thread: int, n_threads: int, scales: Tensor) -> None:
        """One thread's tiles."""
        scaled = torch.empty_like(self.hidden)
        for t in range(thread, len(self.items.tiles), n_threads):
            torch.mul(self.hidden, scales[t], out=scaled)
            self.items.gradient_tiles[t].addmm_(self.exponentials[t], scaled)

    def grad_hidden(self, share: float) -> Tensor:
        """For each row the sum over items of share * p * embedding, [R, D]."""
        return (self.partial.pulled[0] * (share / self.partial.mass[0])).T[: self.n_rows]

    def normalisers(self) -> Tensor:
        """Log of the sum of exp(logit), [R]."""
        return self.partial.normaliser()[: self.n_rows]


@dataclass(frozen=True, slots=True)
class _PartialSoftmax:
    """The softmax of R rows over a part of the items: that of P threads, each with its own tiles."""

    shift: Tensor  # [P, R]; about the largest logit
    mass: Tensor  # [P, R]; the sum of exp(logit - shift)
    pulled: Tensor  # [P, D, R]; the sum of exp(logit - shift) times the item's row

    @classmethod
    def empty(cls, n_threads: int, hidden: Tensor) -> _PartialSoftmax:
        """Before any item, for hidden states [R, D]."""
        n_rows, width = hidden.shape
        return cls(
            shift=hidden.new_full((n_threads, n_rows), -math.inf),
            mass=hidden.new_zeros(n_threads, n_rows),
            pulled=hidden.new_zeros(n_threads, width, n_rows),
        )

    def merged(self) -> _PartialSoftmax:
        """The same as of one thread."""
        shift = self.shift.amax(dim=0, keepdim=True)
        factor = (self.shift - shift).exp_()
        return _PartialSoftmax(
            shift,
            mass=(self.mass * factor).sum(dim=0, keepdim=True),
            pulled=(self.pulled * factor.unsqueeze(1)).sum(dim=0, keepdim=True),
        )

    def normaliser(self) -> Tensor:
        """Log of the sum of exp(logit) of one thread's items, [R]."""
        return self.shift[0] + self.mass[0].log()


def online_softmax_reference(
    tile: Tensor,
    places: Tensor,
    target_logits: Tensor,
    previous: Tensor,
    shift: Tensor,
    mass: Tensor,
    pulled: Tensor,
) -> None:
    """What `narm.kernels.softmax.online_softmax` does, and with the same arguments, in torch."""
    rows = _rows_within(places, len(tile))
    target_logits[rows] = tile[places[rows], rows]
    maximum = tile.amax(dim=0)
    torch.where(maximum > previous + SLACK, maximum, previous, out=shift)
    factor = (previous - shift).exp_()
    tile.sub_(shift).exp_()
    mass.mul_(factor).add_(tile.sum(dim=0))
    pulled.mul_(factor)


def _rows_within(places: Tensor, n_items: int) -> Tensor:
    """The rows whose place is an item of the tile."""
    return ((places >= 0) & (places < n_items)).nonzero().squeeze(1)
