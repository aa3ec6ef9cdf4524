"""The packed GRU against torch.nn.GRU."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from narm.kernels.compile import compiled
from narm.layers.gru import packed_gru, reference_gru

LENGTHS = {
    "mixed": [9, 9, 8, 5, 5, 5, 3, 1, 1],
    "one session": [12],
    "one event": [1],
    "length one": [1] * 7,
    "equal": [4] * 13,
}


def offsets_of(lengths) -> np.ndarray:
    sizes = (np.asarray(lengths) > np.arange(lengths[0])[:, None]).sum(1)
    return np.concatenate([[0], np.cumsum(sizes)])


def layers_of(gru: nn.GRU):
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return [tuple(getattr(gru, f"{name}_l{i}", None) for name in names) for i in range(gru.num_layers)]


def output_and_gradients(output, inputs):
    direction = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).reshape(output.shape)
    return output, *torch.autograd.grad(output, inputs, direction)


def build(n_inputs, size, n_layers=1, bias=True, dtype=torch.float64):
    torch.manual_seed(0)
    return nn.GRU(n_inputs, size, n_layers, bias=bias).to(dtype)


@pytest.fixture(autouse=True)
def _needs_the_kernel():
    assert compiled("gru", torch.float32) is not None


@pytest.mark.parametrize("run", [packed_gru, reference_gru])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("n_layers", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 7, 16, 33])
def test_it_is_torchs_gru(run, size, n_layers, bias):
    gru = build(5, size, n_layers, bias)
    offsets = offsets_of(LENGTHS["mixed"])
    inputs = torch.randn(int(offsets[-1]), 5, dtype=torch.float64, requires_grad=True)
    leaves = [inputs, *gru.parameters()]
    packed, _ = gru(PackedSequence(inputs, torch.from_numpy(np.diff(offsets))))
    expected = output_and_gradients(packed.data, leaves)
    actual = output_and_gradients(run(inputs, offsets, layers_of(gru)), leaves)
    for ours, theirs in zip(actual, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("size", [7, 100, 128])
def test_float32_agrees_with_float64(lengths, size):
    gru = build(12, size, dtype=torch.float32)
    offsets = offsets_of(lengths)
    inputs = torch.randn(int(offsets[-1]), 12, requires_grad=True)
    actual = output_and_gradients(packed_gru(inputs, offsets, layers_of(gru)), [inputs, *gru.parameters()])
    exact = inputs.detach().double().requires_grad_()
    gru = gru.double()
    expected = output_and_gradients(reference_gru(exact, offsets, layers_of(gru)), [exact, *gru.parameters()])
    for ours, theirs in zip(actual, expected, strict=True):
        atol = 1e-6 * theirs.abs().max().item() + 1e-12
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-5, atol=atol)


def test_gradients_are_those_of_finite_differences():
    gru = build(3, 4, n_layers=2)
    offsets = offsets_of([4, 3, 3, 1])
    inputs = torch.randn(int(offsets[-1]), 3, dtype=torch.float64, requires_grad=True)
    leaves = [tensor.detach().requires_grad_() for layer in layers_of(gru) for tensor in layer]

    def run(inputs, *leaves):
        return packed_gru(inputs, offsets, [leaves[:4], leaves[4:]])

    assert torch.autograd.gradcheck(run, (inputs, *leaves), fast_mode=True)


@pytest.mark.parametrize("present", [(True, False), (False, True)])
def test_one_bias_without_the_other(present):
    w_ih, w_hh, b_ih, b_hh = layers_of(build(3, 5))[0]
    layer = (w_ih, w_hh, b_ih if present[0] else None, b_hh if present[1] else None)
    leaves = [tensor for tensor in layer if tensor is not None]
    offsets = offsets_of([3, 2])
    inputs = torch.randn(5, 3, dtype=torch.float64)
    actual = output_and_gradients(packed_gru(inputs, offsets, [layer]), leaves)
    expected = output_and_gradients(reference_gru(inputs, offsets, [layer]), leaves)
    for ours, theirs in zip(actual, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e-4, 30.0, 1e4])
def test_activations_of_any_size(scale):
    gru = build(6, 16, bias=False, dtype=torch.float32)
    offsets = offsets_of([5, 4, 2])
    inputs = (scale * torch.randn(11, 6)).requires_grad_()
    leaves = [inputs, *gru.parameters()]
    actual = output_and_gradients(packed_gru(inputs, offsets, layers_of(gru)), leaves)
    expected = output_and_gradients(reference_gru(inputs, offsets, layers_of(gru)), leaves)
    for ours, theirs in zip(actual, expected, strict=True):
        assert torch.isfinite(ours).all()
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5 * theirs.abs().max().item() + 1e-9)


def test_the_largest_activations_stay_finite():
    gru = build(6, 16, bias=False, dtype=torch.float32)
    inputs = (1e30 * torch.randn(11, 6)).requires_grad_()
    hidden = packed_gru(inputs, offsets_of([5, 4, 2]), layers_of(gru))
    for tensor in output_and_gradients(hidden, [inputs, *gru.parameters()]):
        assert torch.isfinite(tensor).all()


def test_small_activations_keep_their_relative_precision():
    """tanh of 1e-6 is 1e-6, not 0.99e-6."""
    w_ih, w_hh = torch.eye(3).repeat(3, 1) * 1e-6, torch.zeros(9, 3)
    hidden = packed_gru(torch.eye(3), np.array([0, 3]), [(w_ih, w_hh, None, None)])
    torch.testing.assert_close(hidden, torch.eye(3) * 5e-7, rtol=1e-6, atol=0)


def test_not_a_number_reaches_the_output():
    gru = build(3, 8, dtype=torch.float32)
    inputs = torch.randn(5, 3)
    inputs[0, 0] = torch.nan
    hidden = packed_gru(inputs, offsets_of([3, 2]), layers_of(gru))
    assert hidden[[0, 2, 4]].isnan().all()
    assert hidden[[1, 3]].isfinite().all()


def test_threads_change_rounding_at_most_and_runs_nothing():
    gru = build(8, 32, n_layers=2, dtype=torch.float32)
    offsets = offsets_of([20, 17, 17, 9, 8, 3, 3, 3, 1])
    inputs = torch.randn(int(offsets[-1]), 8, requires_grad=True)
    runs = []
    for threads in (1, 2, 3, 2):
        torch.set_num_threads(threads)
        hidden = packed_gru(inputs, offsets, layers_of(gru))
        runs.append(output_and_gradients(hidden, [inputs, *gru.parameters()]))
    torch.set_num_threads(1)
    for one, two, three, again in zip(*runs, strict=True):
        assert torch.equal(two, again)
        torch.testing.assert_close(two, one, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(three, one, rtol=1e-5, atol=1e-6)


def test_what_does_not_fit_is_an_error():
    layers = layers_of(build(3, 4))
    offsets = offsets_of([3, 2])
    with pytest.raises(ValueError, match=r"inputs have shape \(6, 3\); the offsets need \[5, D\]"):
        packed_gru(torch.zeros(6, 3, dtype=torch.float64), offsets, layers)
    with pytest.raises(ValueError, match=r"layer 0: w_ih is torch.float64 \(12, 3\)"):
        packed_gru(torch.zeros(5, 2, dtype=torch.float64), offsets, layers)
    with pytest.raises(ValueError, match=r"layer 0: w_ih is torch.float64"):
        packed_gru(torch.zeros(5, 3), offsets, layers)
