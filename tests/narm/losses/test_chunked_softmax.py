"""The chunked losses against plain torch in float64: values, gradients, threads, memory."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from narm.kernels.compile import compiled
from narm.losses import chunked_softmax
from narm.losses.chunked_softmax import FullSoftmax, SampledSoftmax, online_softmax_reference
from narm.losses.functional import sampled_softmax_reference
from narm.machine.tiles import TileSize

SHAPES = [(1, 2, 1), (1, 1, 3), (7, 13, 3), (33, 40, 8), (70, 101, 17), (129, 64, 5)]  # Q, V, D


@pytest.fixture(params=["kernel", "torch reference"])
def _tile_pass(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "kernel":
        assert compiled("softmax", torch.float32) is not None
    else:
        monkeypatch.setattr("narm.kernels.compile.compiled", lambda name, dtype: None)


@pytest.fixture(params=["one tile", "many tiles", "whole rows"])
def _tiles(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    tile = TileSize(32, 7) if request.param == "many tiles" else TileSize(256, 512)
    monkeypatch.setattr(chunked_softmax, "tile_size", lambda n_items, element_size: tile)
    rows = 32 if request.param == "whole rows" else 0
    monkeypatch.setattr(chunked_softmax, "whole_rows", lambda n_items, element_size: rows)


def problem(n_rows: int, n_items: int, width: int, *, scale: float = 1, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(n_rows, width, generator=generator)
    weight = torch.randn(n_items, width, generator=generator) * scale
    targets = torch.randint(n_items, (n_rows,), generator=generator)
    return hidden.requires_grad_(), weight.requires_grad_(), targets


def full(
    hidden: Tensor, weight: Tensor, targets: Tensor, unit_items: bool = False, smoothing: float = 0.0
) -> list[Tensor]:
    loss = FullSoftmax.apply(hidden, weight, targets, unit_items, smoothing)
    return [loss, *torch.autograd.grad(loss, (hidden, weight))]


def full_by_torch(
    hidden: Tensor, weight: Tensor, targets: Tensor, unit_items: bool = False, smoothing: float = 0.0
) -> list[Tensor]:
    hidden, weight = (tensor.detach().double().requires_grad_() for tensor in (hidden, weight))
    items = functional.normalize(weight) if unit_items else weight
    loss = functional.cross_entropy(hidden @ items.T, targets, label_smoothing=smoothing)
    return [tensor.float() for tensor in (loss, *torch.autograd.grad(loss, (hidden, weight)))]


@pytest.mark.usefixtures("_tile_pass", "_tiles")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("unit_items", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_and_both_gradients_are_those_of_cross_entropy(
    shape: tuple[int, int, int], smoothing: float, unit_items: bool
) -> None:
    arguments = *problem(*shape), unit_items, smoothing
    torch.testing.assert_close(full(*arguments), full_by_torch(*arguments), rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("_tile_pass", "_tiles")
@pytest.mark.parametrize("scale", [1e-30, 1e4])
def test_tiny_and_huge_logits_keep_their_precision(scale: float) -> None:
    arguments = problem(40, 60, 8, scale=scale)
    ours, expected = full(*arguments), full_by_torch(*arguments)
    assert all(tensor.isfinite().all() for tensor in ours)
    for ours_one, expected_one in zip(ours, expected, strict=True):
        size = float(expected_one.detach().abs().max())
        torch.testing.assert_close(ours_one, expected_one, rtol=1e-5, atol=1e-5 * size)


@pytest.mark.usefixtures("_tile_pass", "_tiles")
def test_a_rising_maximum_rescales_what_was_summed_before() -> None:
    hidden = torch.ones(3, 1, requires_grad=True)
    weight = torch.linspace(-300, 300, 50).unsqueeze(1).requires_grad_()
    arguments = (hidden, weight, torch.tensor([0, 25, 49]))
    torch.testing.assert_close(full(*arguments), full_by_torch(*arguments), rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("_tile_pass", "_tiles")
@pytest.mark.parametrize("unit_items", [False, True])
def test_gradcheck_of_the_full_softmax(unit_items: bool) -> None:
    hidden, weight, targets = problem(5, 23, 4)
    hidden, weight = (tensor.detach().double().requires_grad_() for tensor in (hidden, weight))
    arguments = (hidden, weight, targets, unit_items, 0.1)
    assert torch.autograd.gradcheck(FullSoftmax.apply, arguments)


def sampled_problem() -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    hidden, target_rows, item_rows = (
        torch.randn(n, 4, dtype=torch.float64, generator=generator).requires_grad_() for n in (5, 5, 23)
    )
    target_bias, item_bias = (torch.randn(n, dtype=torch.float64, generator=generator) for n in (5, 23))
    return hidden, target_rows, item_rows, target_bias, item_bias, torch.tensor([-1, 0, 22, 9, -1])


@pytest.mark.usefixtures("_tile_pass", "_tiles")
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_gradcheck_of_the_sampled_softmax(smoothing: float) -> None:
    assert torch.autograd.gradcheck(SampledSoftmax.apply, (*sampled_problem(), smoothing))


@pytest.mark.usefixtures("_tile_pass", "_tiles")
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_sampled_softmax_is_its_reference(smoothing: float) -> None:
    arguments = *sampled_problem(), smoothing
    torch.testing.assert_close(SampledSoftmax.apply(*arguments), sampled_softmax_reference(*arguments))


@pytest.mark.usefixtures("_tile_pass", "_tiles")
@pytest.mark.parametrize("place", ["hidden", "weight"])
def test_a_nan_reaches_the_loss(place: str) -> None:
    hidden, weight, targets = problem(40, 600, 8)
    with torch.no_grad():
        (hidden if place == "hidden" else weight)[3, 2] = torch.nan
    assert FullSoftmax.apply(hidden, weight, targets, False, 0.0).isnan()


def test_the_backward_scales_and_may_run_again() -> None:
    hidden, weight, targets = problem(9, 20, 4)
    loss = FullSoftmax.apply(hidden, weight, targets, False, 0.1)
    once = torch.autograd.grad(loss, (hidden, weight), retain_graph=True)
    thrice = torch.autograd.grad(3 * loss, (hidden, weight))
    torch.testing.assert_close(thrice, tuple(3 * gradient for gradient in once))


@pytest.mark.usefixtures("_tiles")
def test_the_same_threads_give_the_same_bits_and_others_only_round_differently() -> None:
    arguments = problem(300, 1500, 16)
    results = {}
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        results[threads] = full(*arguments)
        again = full(*arguments)
        assert all(torch.equal(a, b) for a, b in zip(results[threads], again, strict=True))
    for threads in (2, 3):
        torch.testing.assert_close(results[threads], results[1], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_kernel_and_its_reference_agree_tile_by_tile(dtype: torch.dtype) -> None:
    kernels = compiled("softmax", dtype)
    assert kernels is not None
    generator = torch.Generator().manual_seed(3)
    n_rows = 64
    logits = 5 * torch.randn(2, 11, n_rows, dtype=dtype, generator=generator)
    places = torch.randint(-1, 22, (n_rows,), generator=generator)
    outcomes = []
    for tile_pass in (lambda *tensors: kernels.online_softmax(*(t.numpy() for t in tensors)), online_softmax_reference):
        tiles = logits.clone()
        shifts = torch.full((3, n_rows), -torch.inf, dtype=dtype)
        target_logits, mass = torch.zeros(2, n_rows, dtype=dtype)
        pulled = torch.ones(4, n_rows, dtype=dtype)
        for t in range(2):
            tile_pass(tiles[t], places - 11 * t, target_logits, shifts[t], shifts[t + 1], mass, pulled)
            pulled += 1
        outcomes.append([tiles, shifts, target_logits, mass, pulled])
    torch.testing.assert_close(*outcomes)


MEMORY_SCRIPT = """
import resource, sys, torch
from narm.losses.functional import full_softmax
torch.set_num_threads(1)
def step(n_rows):
    hidden, weight = torch.ones(n_rows, 4, requires_grad=True), torch.ones(20_000, 4, requires_grad=True)
    full_softmax(hidden, weight, torch.arange(n_rows)).backward()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(step(1000), step(5000))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kilobytes on Linux only")
@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_targets() -> None:
    printed = subprocess.run(
        [sys.executable, "-c", MEMORY_SCRIPT], check=True, capture_output=True, text=True, timeout=120
    ).stdout
    small, large = (int(number) << 10 for number in printed.split())
    one_logits_matrix = 4000 * 20_000 * 4  # of the 4000 rows more: 320 MB
    assert large - small < one_logits_matrix / 10


def test_float32_logits_far_below_the_maximum_are_no_denormals() -> None:
    kernels = compiled("softmax", torch.float32)
    assert kernels is not None
    tile = torch.linspace(-200, 0, 32).unsqueeze(1).repeat(1, 32)
    row = [torch.zeros(32) for _ in range(4)]
    kernels.online_softmax(tile.numpy(), np.full(32, -1), *(tensor.numpy() for tensor in row), np.zeros((1, 32), "f4"))
    assert tile.min() >= torch.finfo(torch.float32).tiny
