"""Rows of length one, as a differentiable operation.

N rows, D embedding.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from narm.kernels.compile import compiled
from narm.kernels.threads import run

SHORTEST = 1e-12
"""What a shorter row, such as one of zeros, is divided by; that of `torch.nn.functional.normalize`."""


def unit_rows(rows: Tensor) -> Tensor:
    """Each row divided by its length, [N, D]: `torch.nn.functional.normalize`, faster on the CPU."""
    kernel = compiled("unit", rows.dtype) if rows.device.type == "cpu" else None
    if kernel is None:
        return functional.normalize(rows, dim=1, eps=SHORTEST)
    return _UnitRows.apply(rows, kernel)  # type: ignore[no-any-return, no-untyped-call]


class _UnitRows(torch.autograd.Function):
    """The kernel as a differentiable operation."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, kernel: ModuleType) -> Tensor:
        rows = rows.detach().contiguous()
        units, lengths = torch.empty_like(rows), rows.new_empty(len(rows))
        scalar = rows.numpy().dtype.type
        run(kernel.normalize, rows.numpy(), units.numpy(), lengths.numpy(), scalar(SHORTEST))
        ctx.kernel = kernel
        ctx.save_for_backward(units, lengths)
        return units

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        units, lengths = ctx.saved_tensors
        pulled = torch.empty_like(units)
        arrays = (gradient.contiguous(), units, lengths, pulled)
        run(ctx.kernel.pull_back, *(array.numpy() for array in arrays))
        return pulled, None
