"""Dropout, whose mask follows from torch's generator and not from the number of threads.

Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 2014.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from narm.kernels.compile import compiled
from narm.kernels.threads import run


class Dropout(nn.Module):
    """`torch.nn.Dropout`, faster on the CPU.

    Args:
        p: share of the values that become zero while training, in [0, 1); the others grow by 1 / (1 - p).
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, values: Tensor) -> Tensor:
        """Drop some of the values, of any shape; none in evaluation mode."""
        if not self.training or self.p == 0:
            return values
        kernel = compiled("dropout", values.dtype) if values.device.type == "cpu" else None
        if kernel is None:
            return functional.dropout(values, self.p)
        return _Dropped.apply(values, self.p, torch.randint(2**32, (2,)).tolist(), kernel)  # type: ignore[no-any-return, no-untyped-call]

    def extra_repr(self) -> str:
        """Shown when the model is printed."""
        return f"p={self.p}"


class _Dropped(torch.autograd.Function):
    """The kernel as a differentiable operation; its backward draws the same mask again."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, p: float, seeds: list[int], kernel: ModuleType) -> Tensor:
        ctx.arguments = p, seeds, kernel
        return _drop(values, *ctx.arguments)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return _drop(gradient, *ctx.arguments), None, None, None


def _drop(values: Tensor, p: float, seeds: list[int], kernel: ModuleType) -> Tensor:
    values = values.detach().contiguous()
    kept = torch.empty_like(values)
    scalar = values.numpy().dtype.type
    numbers = (*map(np.uint32, seeds), np.uint32(p * 2**32), scalar(1 / (1 - p)))
    run(kernel.drop, values.numpy().reshape(-1), kept.numpy().reshape(-1), *numbers)
    return kept
