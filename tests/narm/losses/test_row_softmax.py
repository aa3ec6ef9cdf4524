"""Whole rows of logits: their kernel, and how they are shared out. The losses are in `test_chunked_softmax`."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from narm.kernels.compile import compiled
from narm.losses.row_softmax import cross_entropy_reference, row_chunks, scaled_cross_entropy_reference


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_kernel_and_its_reference_agree(dtype: torch.dtype) -> None:
    kernels = compiled("softmax", dtype)
    assert kernels is not None
    generator = torch.Generator().manual_seed(3)
    logits = 5 * torch.randn(11, 64, dtype=dtype, generator=generator)
    targets = torch.randint(11, (64,), generator=generator)
    outcomes = []
    for visit in (lambda *tensors: kernels.cross_entropy(*(t.numpy() for t in tensors)), cross_entropy_reference):
        outcome = [logits.clone(), *torch.zeros(3, 64, dtype=dtype)]
        visit(outcome[0], targets, *outcome[1:])
        outcomes.append(outcome)
    torch.testing.assert_close(*outcomes)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_factors_of_the_items_are_those_of_the_reference(dtype: torch.dtype) -> None:
    kernels = compiled("softmax", dtype)
    assert kernels is not None
    generator = torch.Generator().manual_seed(4)
    logits, factors = (torch.randn(11, *rest, dtype=dtype, generator=generator) for rest in ((64,), ()))
    targets = torch.randint(11, (64,), generator=generator)
    outcomes = []
    for visit in (
        lambda *tensors: kernels.scaled_cross_entropy(*(t.numpy() for t in tensors)),
        scaled_cross_entropy_reference,
    ):
        outcome = [logits.clone(), *torch.zeros(3, 64, dtype=dtype)]
        visit(outcome[0], factors.abs(), targets, *outcome[1:])
        outcomes.append(outcome)
    torch.testing.assert_close(*outcomes)


def test_float32_logits_far_below_the_maximum_are_no_denormals() -> None:
    kernels = compiled("softmax", torch.float32)
    assert kernels is not None
    logits = torch.linspace(-200, 0, 32).unsqueeze(1).repeat(1, 32)
    kernels.cross_entropy(logits.numpy(), np.full(32, 5), *np.zeros((3, 32), "f4"))
    assert logits.abs().min() >= torch.finfo(torch.float32).tiny


@pytest.mark.parametrize(("n_rows", "n_threads"), [(32, 1), (32, 2), (2048, 2), (2080, 2), (640, 3), (96, 64)])
def test_each_row_is_in_one_chunk_and_the_shares_are_even(n_rows: int, n_threads: int) -> None:
    shares = [row_chunks(n_rows, thread, n_threads, 128) for thread in range(n_threads)]
    assert [row for share in shares for chunk in share for row in range(n_rows)[chunk]] == list(range(n_rows))
    assert max(chunk.stop - chunk.start for share in shares for chunk in share) <= 128
    most = max(sum(chunk.stop - chunk.start for chunk in share) for share in shares)
    assert most - n_rows / n_threads < 32
