"""The GRU over packed sessions: what `torch.nn.GRU` computes, with a backward that costs twice its forward.

torch's CPU autograd keeps a graph node for every operation of every step and accumulates the weights'
gradients step by step. Here a layer is one operation: its backward takes only the gradient of the hidden
state back through time, and the weights' gradients are single products over all events afterwards.

Shapes: S sessions, T steps, N events, D inputs, H hidden, P hidden padded to whole panels of the kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from narm.kernels.compile import compiled
from narm.kernels.threads import run

LayerWeights = tuple[Tensor, Tensor, Tensor | None, Tensor | None]


def packed_gru(inputs: Tensor, step_offsets: NDArray[np.int64], weights: Sequence[LayerWeights]) -> Tensor:
    """The hidden states of a GRU's last layer, starting from zero.

    Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", EMNLP 2014, in the variant of
    cuDNN and torch, which applies the reset gate after the recurrent product.

    Args:
        inputs: packed events, [N, D].
        step_offsets: first row of each step, [T + 1], as in `PackedLayout`.
        weights: (w_ih [3 H, D], w_hh [3 H, H], b_ih [3 H] or None, b_hh [3 H] or None) of each layer, gates
            in torch's order r, z, n.
    Returns:
        hidden states, [N, H], packed like the inputs.
    Raises:
        ValueError: the rows are not as many as the offsets say, or weights have other shapes or types.
    """
    _check(inputs, step_offsets, weights)
    kernel = compiled("gru", inputs.dtype) if inputs.device.type == "cpu" else None
    if kernel is None:
        return reference_gru(inputs, step_offsets, weights)
    hidden = inputs
    for layer in weights:
        hidden = _FusedLayer.apply(hidden, step_offsets, *layer, kernel)  # type: ignore[no-untyped-call]
    return hidden


def reference_gru(inputs: Tensor, step_offsets: NDArray[np.int64], weights: Sequence[LayerWeights]) -> Tensor:
    """`packed_gru` by torch's own GRU, for any device and type."""
    step_sizes = torch.from_numpy(np.diff(step_offsets))
    hidden = inputs
    for w_ih, w_hh, b_ih, b_hh in weights:
        parameters = [w_ih, w_hh]
        if b_ih is not None or b_hh is not None:
            parameters += [b if b is not None else w_ih.new_zeros(len(w_ih)) for b in (b_ih, b_hh)]
        initial = hidden.new_zeros(1, int(step_sizes[0]), w_hh.shape[1])
        hidden, _ = torch._VF.gru(hidden, step_sizes, initial, parameters, len(parameters) == 4, 1, 0.0, False, False)
    return hidden


class _FusedLayer(torch.autograd.Function):
    """One layer by the kernels and four large products."""

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        step_offsets: NDArray[np.int64],
        w_ih: Tensor,
        w_hh: Tensor,
        b_ih: Tensor | None,
        b_hh: Tensor | None,
        kernel: ModuleType,
    ) -> Tensor:
        size = w_hh.shape[1]
        width = -(-size // kernel.PANEL) * kernel.PANEL
        to_gates = _pad_gates(w_hh, width).t()
        gates = inputs @ _pad_gates(w_ih, width).t()
        recurrent = gates.new_zeros(len(inputs), width)
        hidden = torch.empty_like(recurrent)
        if b_ih is not None:
            gates += _pad_gates(b_ih, width)
        if b_hh is not None:
            gates[:, : 2 * width] += _pad_gates(b_hh, width)[: 2 * width]
            recurrent[:, :size] = b_hh[2 * size :]
        ctx.offsets, ctx.kernel = np.require(step_offsets, np.int64, ["C", "W"]), kernel
        ctx.has_biases = b_ih is not None, b_hh is not None
        panels = _panels(to_gates[:, : 2 * width], kernel.PANEL), _panels(to_gates[:, 2 * width :], kernel.PANEL)
        run(kernel.forward, ctx.offsets, *_arrays(*panels, gates, recurrent, hidden))
        ctx.save_for_backward(inputs, w_ih, w_hh, gates, recurrent, hidden)
        return hidden[:, :size].contiguous()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, d_output: Tensor) -> tuple[Tensor | None, ...]:
        inputs, w_ih, w_hh, gates, recurrent, hidden = ctx.saved_tensors
        size, width = w_hh.shape[1], hidden.shape[1]
        d_gates, d_recurrent = torch.empty_like(gates), torch.empty_like(recurrent)
        _back_through_time(ctx, w_hh, gates, recurrent, hidden, d_output, d_gates, d_recurrent)

        previous, following = _consecutive_rows(ctx.offsets)
        before = hidden[:, :size].index_select(0, previous)
        d_r_z = d_gates[following:, : 2 * width].t() @ before
        d_n = d_recurrent[following:].t() @ before
        d_w_hh = _unpad_gates(torch.cat([d_r_z, d_n]), size)
        d_w_ih = _unpad_gates(d_gates.t() @ inputs, size)
        d_inputs = d_gates @ _pad_gates(w_ih, width) if ctx.needs_input_grad[0] else None
        d_b_ih = d_b_hh = None
        if any(ctx.has_biases):
            by_gate = d_gates.sum(0)
            d_b_ih = _unpad_gates(by_gate, size) if ctx.has_biases[0] else None
            d_b_hh = _unpad_gates(torch.cat([by_gate[: 2 * width], d_recurrent.sum(0)]), size)
            d_b_hh = d_b_hh if ctx.has_biases[1] else None
        return d_inputs, None, d_w_ih, d_w_hh, d_b_ih, d_b_hh, None


def _back_through_time(
    ctx: Any,
    w_hh: Tensor,
    gates: Tensor,
    recurrent: Tensor,
    hidden: Tensor,
    d_output: Tensor,
    d_gates: Tensor,
    d_recurrent: Tensor,
) -> None:
    """Fill d_gates and d_recurrent."""
    width, panel = hidden.shape[1], ctx.kernel.PANEL
    from_gates = _pad_columns(_pad_gates(w_hh, width), width)
    d_hidden = _pad_columns(d_output, width).contiguous()
    threads = torch.get_num_threads()
    scratch = hidden.new_empty(threads, -(-int(ctx.offsets[1]) // threads), width)
    panels = _panels(from_gates[: 2 * width], panel), _panels(from_gates[2 * width :], panel)
    buffers = _arrays(*panels, gates, recurrent, hidden, d_hidden, d_gates, d_recurrent, scratch)
    run(ctx.kernel.backward, ctx.offsets, *buffers)


def _pad_columns(rows: Tensor, width: int) -> Tensor:
    """Pad with zeros, [N, H] -> [N, P]; nothing is copied if H = P."""
    return rows if rows.shape[1] == width else functional.pad(rows, (0, width - rows.shape[1]))


def _pad_gates(weights: Tensor, width: int) -> Tensor:
    """Pad each of the three gates' rows with zeros, [3 H, ...] -> [3 P, ...]; nothing is copied if H = P."""
    by_gate = torch.unflatten(weights, 0, (3, -1))
    if by_gate.shape[1] == width:
        return weights
    padding = [0] * (2 * (by_gate.dim() - 2)) + [0, width - by_gate.shape[1]]
    return functional.pad(by_gate, padding).flatten(0, 1)


def _unpad_gates(weights: Tensor, size: int) -> Tensor:
    """The inverse of `_pad_gates`, [3 P, ...] -> [3 H, ...]."""
    return torch.unflatten(weights, 0, (3, -1))[:, :size].flatten(0, 1)


def _panels(matrix: Tensor, panel: int) -> Tensor:
    """Pack the columns for the kernel, [K, C] -> [C / panel, K, panel]."""
    return torch.unflatten(matrix, 1, (-1, panel)).transpose(0, 1).contiguous()


def _consecutive_rows(step_offsets: NDArray[np.int64]) -> tuple[Tensor, int]:
    """The row before each row of steps 1..T-1 in its session, [N - S], and the first such row, S."""
    step_sizes = np.diff(step_offsets)
    first = int(step_offsets[1])
    rows = np.arange(first, step_offsets[-1])
    return torch.from_numpy(rows - np.repeat(step_sizes[:-1], step_sizes[1:])), first


def _arrays(*tensors: Tensor) -> list[NDArray[Any]]:
    """The tensors' memory as numpy arrays."""
    return [tensor.detach().numpy() for tensor in tensors]


def _check(inputs: Tensor, step_offsets: NDArray[np.int64], weights: Sequence[LayerWeights]) -> None:
    """Raise ValueError where the kernels would read past an array."""
    if inputs.dim() != 2 or len(inputs) != step_offsets[-1]:
        raise ValueError(f"inputs have shape {tuple(inputs.shape)}; the offsets need [{step_offsets[-1]}, D]")
    n_inputs = inputs.shape[1]
    for layer, (w_ih, w_hh, b_ih, b_hh) in enumerate(weights):
        size = w_hh.shape[-1]
        expected = {"w_ih": (3 * size, n_inputs), "w_hh": (3 * size, size), "b_ih": (3 * size,), "b_hh": (3 * size,)}
        for (name, shape), tensor in zip(expected.items(), (w_ih, w_hh, b_ih, b_hh), strict=True):
            if tensor is None:
                continue
            if tensor.shape != shape or tensor.dtype != inputs.dtype:
                raise ValueError(
                    f"layer {layer}: {name} is {tensor.dtype} {tuple(tensor.shape)}; "
                    f"the inputs need {inputs.dtype} {shape}"
                )
        n_inputs = size
