"""Rows of one length are torch's own, and so are their gradients."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from narm.kernels.compile import compiled
from narm.layers.unit_rows import SHORTEST, inverse_lengths, take_out, unit_rows


@pytest.mark.parametrize("length", [1.0, 14.3])
def test_the_gradient_is_the_derivative(length):
    torch.manual_seed(0)
    rows = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(unit_rows, (rows, length))


@pytest.mark.parametrize("length", [1.0, 14.3])
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (1000, 64), (0, 4), (17_000, 64)])  # the last on several threads
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_kernel_agrees_with_torch(shape, dtype, length, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    torch.manual_seed(1)
    rows = torch.randn(shape, dtype=dtype) * torch.logspace(-3, 3, max(shape[0], 1), dtype=dtype)[: shape[0], None]
    mine, theirs = rows.clone().requires_grad_(), rows.clone().requires_grad_()
    even, expected = unit_rows(mine, length), length * functional.normalize(theirs, dim=1)
    torch.testing.assert_close(even, expected)
    pull = torch.randn(shape, dtype=dtype)
    even.backward(pull)
    expected.backward(pull)
    lengths = rows.norm(dim=1, keepdim=True)  # short rows have large gradients, which cancel
    torch.testing.assert_close(mine.grad * lengths, theirs.grad * lengths, rtol=1e-4, atol=1e-5 * length)


def test_a_row_of_zeros_stays_one_and_gives_finite_gradients():
    rows = torch.zeros(2, 3, requires_grad=True)
    unit_rows(rows).sum().backward()
    assert unit_rows(rows).eq(0).all()
    torch.testing.assert_close(rows.grad, torch.full((2, 3), 1 / SHORTEST))


def test_rows_that_are_not_contiguous_are_taken_as_they_read():
    rows = torch.arange(1.0, 13.0).view(3, 4).T
    torch.testing.assert_close(unit_rows(rows), functional.normalize(rows, dim=1))


@pytest.mark.parametrize("kernels", ["on", "off"])
def test_what_lies_along_the_rows_is_taken_out_of_a_gradient(kernels, monkeypatch):
    monkeypatch.setenv("NARM_KERNELS", kernels)
    compiled.cache_clear()
    torch.manual_seed(2)
    rows, pull = torch.randn(50, 7, requires_grad=True), torch.randn(50, 7)
    functional.normalize(rows, dim=1).backward(pull)
    factors = inverse_lengths(rows)
    gradient = pull * factors.unsqueeze(1)
    take_out(gradient, rows, factors)
    torch.testing.assert_close(gradient, rows.grad)
    compiled.cache_clear()
