"""One thread count for everything that computes: torch, its BLAS, and the kernels, which follow torch."""

from __future__ import annotations

import torch

from narm.errors import InputError


def set_threads(count: int) -> None:
    """Let this process compute on `count` threads.

    Raises:
        InputError: fewer than one.
    """
    if count < 1:
        raise InputError(f"threads: {count} should be 1 or more")
    torch.set_num_threads(count)
