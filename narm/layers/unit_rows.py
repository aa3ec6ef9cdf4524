"""Rows of one length, as a differentiable operation.

N rows, D embedding.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from narm.kernels.compile import compiled
from narm.kernels.threads import run

SHORTEST = 1e-12
"""What a shorter row, such as one of zeros, is taken for; that of `torch.nn.functional.normalize`."""

_LEAST_TO_SHARE = 2**20
"""Elements: below, a thread has done the work before a team of them has begun."""


def unit_rows(rows: Tensor, length: float = 1.0) -> Tensor:
    """Each row brought to one length, [N, D]: `torch.nn.functional.normalize`, faster on the CPU."""
    kernel = compiled("unit", rows.dtype) if rows.device.type == "cpu" else None
    if kernel is None:
        return functional.normalize(rows, dim=1, eps=SHORTEST) * length
    return _UnitRows.apply(rows, length, kernel)  # type: ignore[no-any-return, no-untyped-call]


class _UnitRows(torch.autograd.Function):
    """The kernel as a differentiable operation."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, length: float, kernel: ModuleType) -> Tensor:
        rows = rows.contiguous()
        even, factors = torch.empty_like(rows), rows.new_empty(len(rows))
        _share(kernel.normalize, rows, even, factors, length, SHORTEST)
        ctx.kernel, ctx.length = kernel, length
        ctx.save_for_backward(even, factors)
        return even

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        even, factors = ctx.saved_tensors
        pulled = torch.empty_like(even)
        _share(ctx.kernel.pull_back, gradient.contiguous(), even, factors, ctx.length, pulled)
        return pulled, None, None


def inverse_lengths(rows: Tensor) -> Tensor:
    """What would bring each row to length one, [N]; not differentiable."""
    kernel = compiled("unit", rows.dtype) if rows.device.type == "cpu" else None
    if kernel is None:
        lengths: Tensor = torch.linalg.vector_norm(rows.detach(), dim=1)
        return lengths.clamp_(min=SHORTEST).reciprocal_()
    factors = rows.new_empty(len(rows))
    _share(kernel.inverse_lengths, rows.contiguous(), factors, SHORTEST)
    return factors


def take_out(gradient: Tensor, rows: Tensor, factors: Tensor) -> None:
    """Make the gradient for rows, in place, of that for the same rows at length one times the factors, [N, D].

    Args:
        gradient: contiguous, [N, D].
        rows: [N, D].
        factors: their inverse lengths, [N].
    """
    rows = rows.detach()
    kernel = compiled("unit", rows.dtype) if rows.device.type == "cpu" else None
    if kernel is None:
        along = (gradient * rows).sum(dim=1).mul_(factors).mul_(factors)
        gradient.addcmul_(along.unsqueeze(1), rows, value=-1)
    else:
        _share(kernel.take_out, gradient, rows.contiguous(), factors)


def _share(kernel: Callable[..., None], rows: Tensor, *others: Tensor | float) -> None:
    """Call a kernel, on as many threads as the rows are worth."""
    array = rows.detach().numpy()
    arguments = [other.numpy() if isinstance(other, Tensor) else array.dtype.type(other) for other in others]
    if rows.numel() < _LEAST_TO_SHARE:
        kernel(0, 1, array, *arguments)
    else:
        run(kernel, array, *arguments)
