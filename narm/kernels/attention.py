"""Fused additive attention on the CPU: forward and backward without a [Q, T, H] intermediate.

With u = exp(-k) and w = exp(-q), sigma(q + k) = 1 / (1 + w u): exponentials are taken once a row, and what is
left for each (query, key, channel) is a multiplication, an addition and half a division (one division serves
two keys: 1 / a = b / (a b)). The backward recomputes sigma, which is cheaper than reading it from memory.

A session is owned by one thread, and v's gradient is kept per session: results do not depend on the number
of threads. Rows are copied to scratch memory padded to whole vectors; keys are taken four at a time, those
past the query with weight zero.

Shapes: S sessions, T steps, N events, Q queries, H channels, P channels padded to whole vectors.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from narm.kernels.compile import inner, kernel
from narm.kernels.simd import LANES, clamp, exp, fma, like, load, pointer, splat, store, total, within

KEYS = 4  # keys taken at a time: their accumulators and the temporaries fit 16 registers
# exp(-q) exp(-k) and the product of two (1 + w u) must neither overflow nor become denormal in float32
FACTORED_BOUND = 20.0
# beyond it sigma is 0 or 1 to 1e-26, and its gradient below anything that matters
SATURATION = 60.0


def scratch_size(steps: int, channels: int) -> int:
    """Numbers a thread needs for sessions of up to `steps` events."""
    width = -(-channels // LANES) * LANES
    return 5 * (steps + KEYS) * width + 4 * width + 2 * (steps + KEYS)


class _Batch(NamedTuple):
    """What every session reads, as pointers."""

    queries: Any
    keys: Any
    values: Any
    step_offsets: Any
    query_offsets: Any
    query_steps: Any
    pair_offsets: Any
    n_steps: int
    channels: int
    width: int
    window: int


class _Session(NamedTuple):
    """One session in scratch memory: rows of P channels."""

    u: Any  # exp(-k), or -k if not factored; [T + 4, P]
    w: Any  # exp(-q), or -q if not factored; [T, P]
    values: Any  # [T + 4, P]
    v: Any  # [P]
    width: int
    factored: bool


@inner
def _clear(target: Any, size: int) -> None:
    for i in range(size):
        target[i] = 0


@inner
def _read_rows(source: Any, offsets: Any, shift: int, count: int, channels: int, width: int, target: Any) -> None:
    """Copy the rows offsets[t] + shift, padded with zeros, and clear `KEYS` rows after them."""
    for t in range(count):
        start = (offsets[t] + shift) * channels
        for h in range(channels):
            target[t * width + h] = source[start + h]
        for h in range(channels, width):
            target[t * width + h] = 0
    for i in range(count * width, (count + KEYS) * width):
        target[i] = 0


@inner
def _read_row(source: Any, row: int, channels: int, width: int, target: Any) -> None:
    for h in range(channels):
        target[h] = source[row * channels + h]
    for h in range(channels, width):
        target[h] = 0


@inner
def _all_moderate(rows: Any, size: int) -> bool:
    moderate = True
    for i in range(0, size, LANES):
        x = load(rows, i)
        moderate &= within(x, like(x, FACTORED_BOUND))
    return moderate


@inner
def _negate(rows: Any, size: int, exponentiate: bool) -> None:
    """Replace x by exp(-x), or by -x where exponentials would be too large."""
    for i in range(0, size, LANES):
        x = load(rows, i)
        x = like(x, 0.0) - x
        if exponentiate:
            x = exp(x)
        store(rows, i, x)


@inner
def _odds(w: Any, u: Any, factored: bool) -> Any:
    """exp(-(q + k)), the odds against: sigma = 1 / (1 + odds)."""
    if factored:
        return w * u
    return exp(clamp(w + u, like(w, SATURATION)))


@inner
def _sigmas(w: Any, u: Any, first: int, second: int, factored: bool) -> Any:
    """sigma(q + k) for two keys, whose channels begin at u[first] and u[second]."""
    one = like(w, 1.0)
    a = one + _odds(w, load(u, first), factored)
    b = one + _odds(w, load(u, second), factored)
    if factored:
        both = one / (a * b)
        return b * both, a * both
    return one / a, one / b


@inner
def _score(session: Any, query: int, key: int, scores: Any, at: int) -> None:
    """Scores v . sigma(q + k) of one query and four keys."""
    width = session.width
    u = session.u
    factored = session.factored
    s0 = like(load(u, 0), 0.0)
    s1 = s0
    s2 = s0
    s3 = s0
    for h in range(0, width, LANES):
        w = load(session.w, query * width + h)
        v = load(session.v, h)
        row = key * width + h
        sigma0, sigma1 = _sigmas(w, u, row, row + width, factored)
        s0 = fma(v, sigma0, s0)
        s1 = fma(v, sigma1, s1)
        sigma2, sigma3 = _sigmas(w, u, row + 2 * width, row + 3 * width, factored)
        s2 = fma(v, sigma2, s2)
        s3 = fma(v, sigma3, s3)
    scores[at] = total(s0)
    scores[at + 1] = total(s1)
    scores[at + 2] = total(s2)
    scores[at + 3] = total(s3)


@inner
def _softmax(scores: Any, count: int) -> None:
    highest = scores[0]
    for j in range(1, count):
        highest = max(highest, scores[j])
    mass = scores[0] - scores[0]
    for j in range(count):
        scores[j] = np.exp(scores[j] - highest)
        mass += scores[j]
    for j in range(count):
        scores[j] /= mass


@inner
def _add_weighted(weights: Any, at: int, session: Any, key: int, context: Any) -> None:
    """Add four values, times their weights, to the context."""
    width = session.width
    values = session.values
    w0 = splat(weights[at])
    w1 = splat(weights[at + 1])
    w2 = splat(weights[at + 2])
    w3 = splat(weights[at + 3])
    for h in range(0, width, LANES):
        row = key * width + h
        c = fma(w0, load(values, row), load(context, h))
        c = fma(w1, load(values, row + width), c)
        c = fma(w2, load(values, row + 2 * width), c)
        c = fma(w3, load(values, row + 3 * width), c)
        store(context, h, c)


@inner
def _pull_back_values(
    weights: Any, at: int, session: Any, key: int, gradient: Any, d_values: Any, d_weights: Any
) -> None:
    """Gradients of context = sum_j weight_j value_j with respect to four values and their weights."""
    width = session.width
    values = session.values
    w0 = splat(weights[at])
    w1 = splat(weights[at + 1])
    w2 = splat(weights[at + 2])
    w3 = splat(weights[at + 3])
    d0 = like(w0, 0.0)
    d1 = d0
    d2 = d0
    d3 = d0
    for h in range(0, width, LANES):
        g = load(gradient, h)
        row0 = key * width + h
        row1 = row0 + width
        row2 = row1 + width
        row3 = row2 + width
        d0 = fma(g, load(values, row0), d0)
        d1 = fma(g, load(values, row1), d1)
        d2 = fma(g, load(values, row2), d2)
        d3 = fma(g, load(values, row3), d3)
        store(d_values, row0, fma(w0, g, load(d_values, row0)))
        store(d_values, row1, fma(w1, g, load(d_values, row1)))
        store(d_values, row2, fma(w2, g, load(d_values, row2)))
        store(d_values, row3, fma(w3, g, load(d_values, row3)))
    d_weights[at] = total(d0)
    d_weights[at + 1] = total(d1)
    d_weights[at + 2] = total(d2)
    d_weights[at + 3] = total(d3)


@inner
def _pull_back_scores(
    d_scores: Any, at: int, session: Any, query: int, key: int, d_keys: Any, d_query: Any, d_v: Any
) -> None:
    """Gradients of v . sigma(q + k) for four keys; the factor v of d_keys and d_query is left for the end."""
    width = session.width
    u = session.u
    factored = session.factored
    d0 = splat(d_scores[at])
    d1 = splat(d_scores[at + 1])
    d2 = splat(d_scores[at + 2])
    d3 = splat(d_scores[at + 3])
    for h in range(0, width, LANES):
        w = load(session.w, query * width + h)
        dv = load(d_v, h)
        dq = load(d_query, h)
        row0 = key * width + h
        row1 = row0 + width
        sigma0, sigma1 = _sigmas(w, u, row0, row1, factored)
        p0 = d0 * sigma0
        p1 = d1 * sigma1
        dv = dv + (p0 + p1)
        p0 = p0 - p0 * sigma0
        p1 = p1 - p1 * sigma1
        store(d_keys, row0, load(d_keys, row0) + p0)
        store(d_keys, row1, load(d_keys, row1) + p1)
        dq = dq + (p0 + p1)
        row2 = row1 + width
        row3 = row2 + width
        sigma2, sigma3 = _sigmas(w, u, row2, row3, factored)
        p2 = d2 * sigma2
        p3 = d3 * sigma3
        dv = dv + (p2 + p3)
        p2 = p2 - p2 * sigma2
        p3 = p3 - p3 * sigma3
        store(d_keys, row2, load(d_keys, row2) + p2)
        store(d_keys, row3, load(d_keys, row3) + p3)
        store(d_query, h, dq + (p2 + p3))
        store(d_v, h, dv)


@inner
def _read_session(batch: _Batch, s: int, steps: int, u: Any, w: Any, values: Any, v: Any) -> _Session:
    """Copy the first `steps` events and the queries of session s to scratch memory."""
    channels, width = batch.channels, batch.width
    begin, end = batch.query_offsets[s], batch.query_offsets[s + 1]
    _read_rows(batch.keys, batch.step_offsets, s, steps, channels, width, u)
    _read_rows(batch.values, batch.step_offsets, s, steps, channels, width, values)
    for query in range(begin, end):
        for h in range(channels):
            w[(query - begin) * width + h] = batch.queries[query * channels + h]
        for h in range(channels, width):
            w[(query - begin) * width + h] = 0
    factored = _all_moderate(u, steps * width) and _all_moderate(w, (end - begin) * width)
    _negate(u, steps * width, factored)
    _negate(w, (end - begin) * width, factored)
    return _Session(u, w, values, v, width, factored)


@inner
def _batch(
    queries: Any,
    keys: Any,
    values: Any,
    step_offsets: Any,
    query_offsets: Any,
    query_steps: Any,
    pair_offsets: Any,
    window: int,
) -> _Batch:
    channels = keys.shape[1]
    return _Batch(
        pointer(queries, 0),
        pointer(keys, 0),
        pointer(values, 0),
        pointer(step_offsets, 0),
        pointer(query_offsets, 0),
        pointer(query_steps, 0),
        pointer(pair_offsets, 0),
        step_offsets.size - 1,
        channels,
        (channels + LANES - 1) // LANES * LANES,
        window,
    )


@inner
def _first_key(batch: _Batch, query: int) -> Any:
    return max(0, batch.query_steps[query] - batch.window + 1)


@kernel(
    "void(i8, i8, real[:, ::1], real[:, ::1], real[:, ::1], real[::1], i8[::1], i8[::1], i8[::1], i8[::1],"
    " i8, b1, real[:, ::1], real[:, ::1], real[::1])"
)
def forward(
    thread: int,
    threads: int,
    queries: Any,
    keys: Any,
    values: Any,
    v: Any,
    step_offsets: Any,
    query_offsets: Any,
    query_steps: Any,
    pair_offsets: Any,
    window: int,
    normalize: bool,
    scratch: Any,
    contexts: Any,
    weights: Any,
) -> None:
    """One thread's share of the contexts [Q, H], and the weights of all (query, key) pairs [C].

    Sessions are sorted by length, so that every `threads`-th of them is a fair share.
    pair_offsets [Q + 1] says where each query's weights begin; scratch is [threads, `scratch_size`].
    """
    batch = _batch(queries, keys, values, step_offsets, query_offsets, query_steps, pair_offsets, window)
    channels, width = batch.channels, batch.width
    block = (batch.n_steps + KEYS) * width
    base = thread * scratch.shape[1]
    u, w = pointer(scratch, base), pointer(scratch, base + block)
    value_rows = pointer(scratch, base + 2 * block)
    base += 3 * block
    v_row, context = pointer(scratch, base), pointer(scratch, base + width)
    scores = pointer(scratch, base + 2 * width)
    _read_row(pointer(v, 0), 0, channels, width, v_row)
    for s in range(thread, query_offsets.size - 1, threads):
        begin, end = batch.query_offsets[s], batch.query_offsets[s + 1]
        if begin == end:
            continue
        session = _read_session(batch, s, batch.query_steps[end - 1] + 1, u, w, value_rows, v_row)
        for query in range(begin, end):
            first = _first_key(batch, query)
            count = batch.query_steps[query] + 1 - first
            for j in range(0, count, KEYS):
                _score(session, query - begin, first + j, scores, j)
            if normalize:
                _softmax(scores, count)
            for j in range(count, count + KEYS):
                scores[j] = 0
            _clear(context, width)
            for j in range(0, count, KEYS):
                _add_weighted(scores, j, session, first + j, context)
            for h in range(channels):
                contexts[query, h] = context[h]
            for j in range(count):
                weights[batch.pair_offsets[query] + j] = scores[j]


@inner
def _weights_to_scores(d_weights: Any, weights: Any, count: int) -> None:
    """Replace the gradients of softmax weights by those of the scores."""
    mean = d_weights[0] - d_weights[0]
    for j in range(count):
        mean += weights[j] * d_weights[j]
    for j in range(count):
        d_weights[j] = weights[j] * (d_weights[j] - mean)


@inner
def _write_rows(rows: Any, steps: int, factor: Any, batch: _Batch, s: int, target: Any) -> None:
    """Write the gradient rows of session s, times the factor; zeros for the events after the last query."""
    offsets = batch.step_offsets
    t = 0
    while t < batch.n_steps and s < offsets[t + 1] - offsets[t]:
        row = offsets[t] + s
        for h in range(batch.channels):
            target[row, h] = rows[t * batch.width + h] * factor[h] if t < steps else 0
        t += 1


@kernel(
    "void(i8, i8, real[:, ::1], real[:, ::1], real[:, ::1], real[::1], i8[::1], i8[::1], i8[::1], i8[::1],"
    " i8, b1, real[:, ::1], real[::1], real[:, ::1], real[:, ::1], real[:, ::1], real[:, ::1], real[:, ::1])"
)
def backward(
    thread: int,
    threads: int,
    queries: Any,
    keys: Any,
    values: Any,
    v: Any,
    step_offsets: Any,
    query_offsets: Any,
    query_steps: Any,
    pair_offsets: Any,
    window: int,
    normalize: bool,
    scratch: Any,
    weights: Any,
    d_contexts: Any,
    d_queries: Any,
    d_keys: Any,
    d_values: Any,
    d_v: Any,
) -> None:
    """One thread's share of the gradients of what `forward` read; d_v [S, H] is that of each session."""
    batch = _batch(queries, keys, values, step_offsets, query_offsets, query_steps, pair_offsets, window)
    channels, width = batch.channels, batch.width
    block = (batch.n_steps + KEYS) * width
    base = thread * scratch.shape[1]
    u, w, value_rows = pointer(scratch, base), pointer(scratch, base + block), pointer(scratch, base + 2 * block)
    key_gradients = pointer(scratch, base + 3 * block)
    value_gradients = pointer(scratch, base + 4 * block)
    base += 5 * block
    v_row, gradient = pointer(scratch, base), pointer(scratch, base + width)
    d_query, d_v_row = pointer(scratch, base + 2 * width), pointer(scratch, base + 3 * width)
    base += 4 * width
    alpha, d_scores = pointer(scratch, base), pointer(scratch, base + batch.n_steps + KEYS)
    _read_row(pointer(v, 0), 0, channels, width, v_row)
    for s in range(thread, query_offsets.size - 1, threads):
        begin, end = batch.query_offsets[s], batch.query_offsets[s + 1]
        steps = batch.query_steps[end - 1] + 1 if begin < end else 0
        session = _read_session(batch, s, steps, u, w, value_rows, v_row)
        _clear(key_gradients, (steps + KEYS) * width)
        _clear(value_gradients, (steps + KEYS) * width)
        _clear(d_v_row, width)
        for query in range(begin, end):
            first = _first_key(batch, query)
            count = batch.query_steps[query] + 1 - first
            _read_row(pointer(d_contexts, 0), query, channels, width, gradient)
            for j in range(count):
                alpha[j] = weights[batch.pair_offsets[query] + j]
            for j in range(count, count + KEYS):
                alpha[j] = 0
            for j in range(0, count, KEYS):
                _pull_back_values(alpha, j, session, first + j, gradient, value_gradients, d_scores)
            if normalize:
                _weights_to_scores(d_scores, alpha, count)
            for j in range(count, count + KEYS):
                d_scores[j] = 0
            _clear(d_query, width)
            for j in range(0, count, KEYS):
                _pull_back_scores(d_scores, j, session, query - begin, first + j, key_gradients, d_query, d_v_row)
            for h in range(channels):
                d_queries[query, h] = d_query[h] * v_row[h]
        _write_rows(key_gradients, steps, v_row, batch, s, d_keys)
        for h in range(channels):
            gradient[h] = 1
        _write_rows(value_gradients, steps, gradient, batch, s, d_values)
        for h in range(channels):
            d_v[s, h] = d_v_row[h]
