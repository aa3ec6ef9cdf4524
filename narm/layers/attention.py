"""Additive attention over the events of a session, the kernel of NARM's local encoder.

Li et al., "Neural Attentive Session-based Recommendation", CIKM 2017, eq. 8: the query at step t scores each
event j <= t by alpha_j = v . sigma(q_t + k_j) and sums the events' values by these weights.

On the CPU in float32 or float64 a fused kernel does it (`narm.kernels.attention`); everywhere else the
reference in plain torch, which is also what the tests compare with.

Shapes: S sessions, N events, Q queries, H channels; C pairs of a query and a key.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narm.data.packing import PackedLayout
from narm.kernels.compile import compiled
from narm.kernels.threads import run


def additive_attention(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    v: Tensor,
    layout: PackedLayout,
    *,
    normalize: bool,
    window: int | None = None,
) -> Tensor:
    """Attend from each query to the events of its session up to its own step.

    Differs from the paper: with `normalize` the weights pass through a softmax, as in the authors' code.

    Args:
        queries: projected queries, [Q, H], in the order of the layout.
        keys: projected events, [N, H].
        values: events, [N, H].
        v: the weight of each channel in the score, [H].
        layout: positions of the sessions' events and of the queries.
        normalize: softmax the scores over the events of the query; otherwise they are the weights.
        window: attend to the last `window` events only; None means all.
    Returns:
        weighted sums of values, [Q, H].
    Raises:
        ValueError: shapes that do not fit the layout, or a window below 1.
    """
    _check(queries, keys, values, v, layout, window)
    longest = len(layout.step_offsets) - 1
    reach = longest if window is None else min(window, longest)
    if queries.device.type == "cpu":
        kernel = compiled("attention", queries.dtype)
        if kernel is not None:
            return _Fused.apply(queries, keys, values, v, layout, normalize, reach, kernel)  # type: ignore[no-any-return, no-untyped-call]
    return reference_attention(queries, keys, values, v, layout, normalize=normalize, window=reach)


def reference_attention(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    v: Tensor,
    layout: PackedLayout,
    *,
    normalize: bool,
    window: int,
) -> Tensor:
    """`additive_attention` in plain torch, for any device and type; memory O(C x H)."""
    query_of_pair, key_of_pair = (torch.from_numpy(rows).to(queries.device) for rows in _pairs(layout, window))
    scores = torch.sigmoid(queries[query_of_pair] + keys[key_of_pair]) @ v
    if normalize:
        scores = _softmax_by_query(scores, query_of_pair, len(queries))
    return torch.zeros_like(queries).index_add(0, query_of_pair, scores[:, None] * values[key_of_pair])


def _softmax_by_query(scores: Tensor, query_of_pair: Tensor, n_queries: int) -> Tensor:
    highest = scores.detach().new_full((n_queries,), -torch.inf)
    highest = highest.scatter_reduce(0, query_of_pair, scores.detach(), "amax")
    powers = torch.exp(scores - highest[query_of_pair])
    mass = powers.new_zeros(n_queries).index_add(0, query_of_pair, powers)
    return powers / mass[query_of_pair]


def _pairs(layout: PackedLayout, window: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The (query, key row) pairs, query by query and by step; two arrays [C]."""
    offsets = _pair_offsets(layout, window)
    counts = np.diff(offsets)
    queries = np.repeat(np.arange(len(counts)), counts)
    behind = np.repeat(offsets[1:] - 1, counts) - np.arange(len(queries))  # steps before the query's own
    steps = layout.query_steps[queries] - behind
    sessions = (layout.query_rows - layout.step_offsets[layout.query_steps])[queries]
    return queries, layout.step_offsets[steps] + sessions


def _pair_offsets(layout: PackedLayout, window: int) -> NDArray[np.int64]:
    """Where the keys of each query begin in a list of all pairs, [Q + 1]."""
    offsets = np.zeros(len(layout.query_steps) + 1, np.int64)
    np.cumsum(np.minimum(layout.query_steps + 1, window), out=offsets[1:])
    return offsets


class _Fused(torch.autograd.Function):
    """The kernels as one differentiable operation. Kept for the backward: the inputs and C weights."""

    @staticmethod
    def forward(
        ctx: Any,
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        v: Tensor,
        layout: PackedLayout,
        normalize: bool,
        window: int,
        kernel: ModuleType,
    ) -> Tensor:
        tensors = tuple(tensor.contiguous() for tensor in (queries, keys, values, v))
        pair_offsets = _pair_offsets(layout, window)
        contexts = torch.empty_like(tensors[0])
        weights = queries.new_empty(int(pair_offsets[-1]))
        ctx.arguments = (
            *(
                np.require(a, np.int64, ["C", "W"])
                for a in (layout.step_offsets, layout.query_offsets, layout.query_steps)
            ),
            pair_offsets,
            window,
            normalize,
        )
        ctx.kernel, ctx.layout = kernel, layout
        ctx.save_for_backward(*tensors, weights)
        run(
            kernel.forward,
            *_arrays(*tensors),
            *ctx.arguments,
            *_arrays(_scratch(kernel, keys, layout), contexts, weights),
        )
        return contexts

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, d_contexts: Tensor) -> tuple[Tensor | None, ...]:
        *tensors, weights = ctx.saved_tensors
        queries, keys, values, v = tensors
        d_queries, d_keys, d_values = (torch.empty_like(tensor) for tensor in (queries, keys, values))
        n_sessions = len(ctx.arguments[1]) - 1
        d_v = v.new_empty(n_sessions, len(v))
        run(
            ctx.kernel.backward,
            *_arrays(*tensors),
            *ctx.arguments,
            *_arrays(
                _scratch(ctx.kernel, keys, ctx.layout),
                weights,
                d_contexts.contiguous(),
                d_queries,
                d_keys,
                d_values,
                d_v,
            ),
        )
        return d_queries, d_keys, d_values, d_v.sum(0), None, None, None, None


def _scratch(kernel: ModuleType, keys: Tensor, layout: PackedLayout) -> Tensor:
    """Memory for each thread, [threads, size]."""
    size = kernel.scratch_size(len(layout.step_offsets) - 1, keys.shape[1])
    return keys.new_empty(torch.get_num_threads(), size)


def _arrays(*tensors: Tensor) -> list[NDArray[Any]]:
    """The tensors' memory as numpy arrays."""
    return [tensor.detach().numpy() for tensor in tensors]


def _check(queries: Tensor, keys: Tensor, values: Tensor, v: Tensor, layout: PackedLayout, window: int | None) -> None:
    """Raise ValueError where the kernels would read past an array."""
    width = v.shape[-1]
    expected = {
        "queries": (queries, (len(layout.query_steps), width)),
        "keys": (keys, (layout.n_rows, width)),
        "values": (values, (layout.n_rows, width)),
        "v": (v, (width,)),
    }
    for name, (tensor, shape) in expected.items():
        if tensor.shape != shape:
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}; the layout needs {shape}")
        if tensor.dtype != queries.dtype:
            raise ValueError(f"{name} is {tensor.dtype} and queries are {queries.dtype}; they must agree")
    if window is not None and window < 1:
        raise ValueError(f"window is {window}; it must be at least 1")
