"""One GRU layer on the CPU, forward and backward through time.

A thread takes its sessions through all steps, so that threads never wait for each other within a layer. The
recurrent products are too small for a BLAS (which would repack the weights at every step): here the weights
are packed once, in panels of `PANEL` columns, and a block of `ROWS` rows is kept in registers.

Gates are stored as torch orders them, r z n, each padded to P channels, a multiple of `PANEL`; padded
channels stay zero. The session s of step t is row step_offsets[t] + s.

Shapes: S sessions, T steps, N events, H hidden, P padded hidden.
"""

from __future__ import annotations

from typing import Any

from narm.kernels.compile import inner, kernel
from narm.kernels.simd import LANES, fma, like, load, pointer, sigmoid, splat, store, tanh

PANEL = 2 * LANES
ROWS = 6  # 6 rows x 2 vectors of sums, 2 of weights and 1 factor fill the 16 registers of AVX2


@inner
def _share(step_offsets: Any, t: int, thread: int, threads: int) -> Any:
    """How many sessions of step t the thread owns: thread, thread + threads, ..."""
    return (step_offsets[t + 1] - step_offsets[t] - thread + threads - 1) // threads


@inner
def _multiply_panel(
    a: Any, a_stride: int, depth: int, panel: Any, c: Any, c_stride: int, first: int, last: int
) -> None:
    """c += a @ panel for `ROWS` rows from `first` on; those past `last` repeat it, to the same result."""
    i1 = min(first + 1, last)
    i2 = min(first + 2, last)
    i3 = min(first + 3, last)
    i4 = min(first + 4, last)
    i5 = min(first + 5, last)
    c0, c1, c2 = first * c_stride, i1 * c_stride, i2 * c_stride
    c3, c4, c5 = i3 * c_stride, i4 * c_stride, i5 * c_stride
    a0, a1, a2 = first * a_stride, i1 * a_stride, i2 * a_stride
    a3, a4, a5 = i3 * a_stride, i4 * a_stride, i5 * a_stride
    left0, right0 = load(c, c0), load(c, c0 + LANES)
    left1, right1 = load(c, c1), load(c, c1 + LANES)
    left2, right2 = load(c, c2), load(c, c2 + LANES)
    left3, right3 = load(c, c3), load(c, c3 + LANES)
    left4, right4 = load(c, c4), load(c, c4 + LANES)
    left5, right5 = load(c, c5), load(c, c5 + LANES)
    for k in range(depth):
        left, right = load(panel, k * PANEL), load(panel, k * PANEL + LANES)
        factor = splat(a[a0 + k])
        left0, right0 = fma(factor, left, left0), fma(factor, right, right0)
        factor = splat(a[a1 + k])
        left1, right1 = fma(factor, left, left1), fma(factor, right, right1)
        factor = splat(a[a2 + k])
        left2, right2 = fma(factor, left, left2), fma(factor, right, right2)
        factor = splat(a[a3 + k])
        left3, right3 = fma(factor, left, left3), fma(factor, right, right3)
        factor = splat(a[a4 + k])
        left4, right4 = fma(factor, left, left4), fma(factor, right, right4)
        factor = splat(a[a5 + k])
        left5, right5 = fma(factor, left, left5), fma(factor, right, right5)
    store(c, c0, left0)
    store(c, c0 + LANES, right0)
    store(c, c1, left1)
    store(c, c1 + LANES, right1)
    store(c, c2, left2)
    store(c, c2 + LANES, right2)
    store(c, c3, left3)
    store(c, c3 + LANES, right3)
    store(c, c4, left4)
    store(c, c4 + LANES, right4)
    store(c, c5, left5)
    store(c, c5 + LANES, right5)


@inner
def _multiply(a: Any, a_stride: int, panels: Any, c: Any, c_stride: int, rows: int) -> None:
    """c += a @ b, with b packed as [panels, depth, PANEL]; a panel stays in L1 for all rows."""
    depth = panels.shape[1]
    for p in range(panels.shape[0]):
        panel, columns = pointer(panels, p * depth * PANEL), pointer(c, p * PANEL)
        for first in range(0, rows, ROWS):
            _multiply_panel(a, a_stride, depth, panel, columns, c_stride, first, rows - 1)


@inner
def _step(gates: Any, recurrent: Any, previous: Any, hidden: Any, width: int, initial: bool) -> None:
    """From sums to gates and the new hidden state, one row, in place."""
    for h in range(0, width, LANES):
        r = sigmoid(load(gates, h))
        z = sigmoid(load(gates, width + h))
        n = tanh(fma(r, load(recurrent, h), load(gates, 2 * width + h)))
        before = like(n, 0.0) if initial else load(previous, h)
        store(gates, h, r)
        store(gates, width + h, z)
        store(gates, 2 * width + h, n)
        store(hidden, h, fma(z, before - n, n))


@kernel("void(i8, i8, i8[::1], real[:, :, ::1], real[:, :, ::1], real[:, ::1], real[:, ::1], real[:, ::1])")
def forward(
    thread: int,
    threads: int,
    step_offsets: Any,
    gate_panels: Any,
    candidate_panels: Any,
    gates: Any,
    recurrent: Any,
    hidden: Any,
) -> None:
    """One thread's share of a layer.

    gate_panels: the weights from the hidden state to r and z, [2 P / PANEL, H, PANEL].
    candidate_panels: those to n, [P / PANEL, H, PANEL].
    gates: in, the input projections with all biases but b_hn; out, the gates; [N, 3 P].
    recurrent: in, b_hn; out, W_hn h + b_hn, which the reset gate multiplies; [N, P].
    hidden: out, [N, P].
    """
    width = hidden.shape[1]
    stride = threads * width
    for t in range(step_offsets.size - 1):
        rows = _share(step_offsets, t, thread, threads)
        if rows == 0:
            break
        start = (step_offsets[t] + thread) * width
        gate_rows, recurrent_rows = pointer(gates, 3 * start), pointer(recurrent, start)
        previous = pointer(hidden, (step_offsets[max(t - 1, 0)] + thread) * width)
        if t > 0:
            _multiply(previous, stride, gate_panels, gate_rows, 3 * stride, rows)
            _multiply(previous, stride, candidate_panels, recurrent_rows, stride, rows)
        for i in range(0, rows * stride, stride):
            _step(
                pointer(gate_rows, 3 * i),
                pointer(recurrent_rows, i),
                pointer(previous, i),
                pointer(hidden, start + i),
                width,
                t == 0,
            )


@inner
def _step_back(
    gates: Any,
    recurrent: Any,
    previous: Any,
    d_hidden: Any,
    d_gates: Any,
    d_recurrent: Any,
    carry: Any,
    width: int,
    initial: bool,
) -> None:
    """From the gradient of a hidden state to those of the sums its gates are activations of, one row.

    carry: in, the gradient that later steps pass on; out, what passes by the gates to the step before.
    """
    for h in range(0, width, LANES):
        r, z, n = load(gates, h), load(gates, width + h), load(gates, 2 * width + h)
        before = like(n, 0.0) if initial else load(previous, h)
        d = load(d_hidden, h) + load(carry, h)
        through = d * z
        d_n = d - through
        d_n = d_n - d_n * (n * n)
        d_z = through * (before - n)
        d_r = d_n * load(recurrent, h) * r
        store(carry, h, through)
        store(d_gates, h, d_r - d_r * r)
        store(d_gates, width + h, d_z - d_z * z)
        store(d_gates, 2 * width + h, d_n)
        store(d_recurrent, h, d_n * r)


@kernel(
    "void(i8, i8, i8[::1], real[:, :, ::1], real[:, :, ::1], real[:, ::1], real[:, ::1], real[:, ::1],"
    " real[:, ::1], real[:, ::1], real[:, ::1], real[:, :, ::1])"
)
def backward(
    thread: int,
    threads: int,
    step_offsets: Any,
    gate_panels: Any,
    candidate_panels: Any,
    gates: Any,
    recurrent: Any,
    hidden: Any,
    d_hidden: Any,
    d_gates: Any,
    d_recurrent: Any,
    scratch: Any,
) -> None:
    """One thread's share of the way back through a layer.

    gate_panels: the weights from r and z back to the hidden state, [P / PANEL, 2 P, PANEL].
    candidate_panels: those from n, [P / PANEL, P, PANEL].
    gates, recurrent, hidden: as `forward` left them.
    d_hidden: the gradient of the hidden states, [N, P].
    d_gates, d_recurrent: out, the gradients of what `forward` read as gates and recurrent.
    scratch: [threads, at least the sessions of a thread, P].
    """
    width = hidden.shape[1]
    stride = threads * width
    carry = pointer(scratch, thread * scratch.shape[1] * width)
    for i in range(scratch.shape[1] * width):
        carry[i] = 0
    for t in range(step_offsets.size - 2, -1, -1):
        rows = _share(step_offsets, t, thread, threads)
        start = (step_offsets[t] + thread) * width
        before = (step_offsets[max(t - 1, 0)] + thread) * width
        gate_rows, recurrent_rows = pointer(d_gates, 3 * start), pointer(d_recurrent, start)
        for i in range(rows):
            row = i * stride
            _step_back(
                pointer(gates, 3 * (start + row)),
                pointer(recurrent, start + row),
                pointer(hidden, before + row),
                pointer(d_hidden, start + row),
                pointer(gate_rows, 3 * row),
                pointer(recurrent_rows, row),
                pointer(carry, i * width),
                width,
                t == 0,
            )
        if t > 0 and rows > 0:
            _multiply(gate_rows, 3 * stride, gate_panels, carry, width, rows)
            _multiply(recurrent_rows, stride, candidate_panels, carry, width, rows)
