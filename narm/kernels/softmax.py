"""The elementwise half of the softmax losses: one visit to a tile of logits that the cache still holds.

Rows stand in the lanes of the vectors, so that maxima and sums over items are plain loops.

Shapes: C items of a tile, R rows (targets) of a chunk, a multiple of `ROWS`; D embedding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import intrinsic

from narm.kernels.compile import inner, kernel
from narm.kernels.simd import LANES, clamp, exp, like, load, splat, store, within

ROWS = 4 * LANES  # taken at a time: their maxima and sums fit the registers
# exp(-80) is far below the rounding of a sum that is 1 at least, and neither it nor its products are denormal
LOWEST_EXPONENT = -80.0
# How far logits may exceed the shift before it follows them. exp(8) leaves float32 all its room, and logits that are
# spread wide, as cosines over a temperature are, would else have most tiles rescale all that the tiles before pulled.
SLACK = 8.0


def _larger(typing: Any, a: Any, b: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *arguments), *arguments)

    return a(a, b), generate


# The larger of two vectors in each lane; the second's where one of them is NaN. Untyped, since numba calls it
# with the typing context and kernels without.
larger: Any = intrinsic(_larger)


def _raised(typing: Any, shift: Any, maximum: Any, above: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        shift, maximum, above = arguments
        exceeded = builder.fcmp_ordered(">", maximum, builder.fadd(shift, above))
        return builder.select(exceeded, maximum, shift)

    return shift(shift, shift, shift), generate


# The maximum in the lanes in which it exceeds the shift by more than `above`, else the shift; also where one is NaN.
raised: Any = intrinsic(_raised)


@inner
def _times(vector: Any, factors: Any, item: int) -> Any:
    """The vector times the item's factor; the vector where there are no factors, which is known when this compiles."""
    return vector if factors is None else vector * splat(factors[item])


@inner
def _raise_shift(tile: Any, factors: Any, shift: Any, start: int, slack: float) -> None:
    """Raise the shift of `ROWS` rows to the largest logit of the tile, where that exceeds it by more than the slack."""
    items, stride = tile.shape
    s0 = load(shift, start)
    s1 = load(shift, start + LANES)
    s2 = load(shift, start + 2 * LANES)
    s3 = load(shift, start + 3 * LANES)
    m0, m1, m2, m3 = s0, s1, s2, s3
    for i in range(items):
        at = i * stride + start
        m0 = larger(m0, _times(load(tile, at), factors, i))
        m1 = larger(m1, _times(load(tile, at + LANES), factors, i))
        m2 = larger(m2, _times(load(tile, at + 2 * LANES), factors, i))
        m3 = larger(m3, _times(load(tile, at + 3 * LANES), factors, i))
    above = like(s0, slack)
    store(shift, start, raised(s0, m0, above))
    store(shift, start + LANES, raised(s1, m1, above))
    store(shift, start + 2 * LANES, raised(s2, m2, above))
    store(shift, start + 3 * LANES, raised(s3, m3, above))


@inner
def _exp_beyond(x: Any, shift: Any) -> Any:
    """exp(x - shift) for x that exceed the shift little, if at all; NaN stays NaN."""
    return exp(clamp(x - shift, like(x, -LOWEST_EXPONENT)))


@inner
def _rescale(previous: Any, shift: Any, mass: Any, pulled: Any, start: int) -> None:
    """Express what earlier tiles summed up in units of the new shift."""
    stride = mass.size
    for row in range(start, start + ROWS, LANES):
        old = load(previous, row)
        new = load(shift, row)
        if not within(new - old, like(old, 0.0)):
            factor = _exp_beyond(old, new)
            store(mass, row, load(mass, row) * factor)
            for at in range(row, pulled.size, stride):
                store(pulled, at, load(pulled, at) * factor)


@inner
def _exponentiate(tile: Any, factors: Any, shift: Any, mass: Any, start: int) -> None:
    """Add exp(logit - shift) of `ROWS` rows to the mass, and leave it, times the factors, in place of the logits."""
    items, stride = tile.shape
    m0 = load(shift, start)
    m1 = load(shift, start + LANES)
    m2 = load(shift, start + 2 * LANES)
    m3 = load(shift, start + 3 * LANES)
    s0 = like(m0, 0.0)
    s1, s2, s3 = s0, s0, s0
    for i in range(items):
        at = i * stride + start
        e0 = _exp_beyond(_times(load(tile, at), factors, i), m0)
        e1 = _exp_beyond(_times(load(tile, at + LANES), factors, i), m1)
        e2 = _exp_beyond(_times(load(tile, at + 2 * LANES), factors, i), m2)
        e3 = _exp_beyond(_times(load(tile, at + 3 * LANES), factors, i), m3)
        store(tile, at, _times(e0, factors, i))
        store(tile, at + LANES, _times(e1, factors, i))
        store(tile, at + 2 * LANES, _times(e2, factors, i))
        store(tile, at + 3 * LANES, _times(e3, factors, i))
        s0 += e0
        s1 += e1
        s2 += e2
        s3 += e3
    store(mass, start, load(mass, start) + s0)
    store(mass, start + LANES, load(mass, start + LANES) + s1)
    store(mass, start + 2 * LANES, load(mass, start + 2 * LANES) + s2)
    store(mass, start + 3 * LANES, load(mass, start + 3 * LANES) + s3)


@kernel("void(real[:, ::1], i8[::1], real[::1], real[::1], real[::1], real[::1], real[:, ::1])")
def online_softmax(
    tile: Any, places: Any, target_logits: Any, previous: Any, shift: Any, mass: Any, pulled: Any
) -> None:
    """Take one more tile into the online softmax (Milakov & Gimelshein, arXiv:1805.02867).

    Args:
        tile: logits, [C, R]; left as exp(logit - shift).
        places: which item of the tile is the row's target, [R]; outside 0..C-1 if none is.
        target_logits: receives the logit of the targets in this tile, [R].
        previous: the shift of each row in the tiles before, [R].
        shift: receives that of this tile, [R]: the one before, unless logits exceed it by more than `SLACK`.
        mass: the sum of exp(logit - shift) over the tiles so far, [R]; rescaled and added to.
        pulled: the sum of exp(logit - shift) times the embedding over the tiles before, [D, R]; rescaled.
    """
    items, rows = tile.shape
    for start in range(0, rows, ROWS):
        for row in range(start, start + ROWS):
            shift[row] = previous[row]
            if 0 <= places[row] < items:
                target_logits[row] = tile[places[row], row]
        _raise_shift(tile, None, shift, start, SLACK)
        _rescale(previous, shift, mass, pulled, start)
        _exponentiate(tile, None, shift, mass, start)


@inner
def _cross_entropy(tile: Any, factors: Any, targets: Any, shift: Any, mass: Any, losses: Any) -> None:
    for start in range(0, tile.shape[1], ROWS):
        for row in range(start, start + ROWS):
            own = tile[targets[row], row]
            shift[row] = losses[row] = own if factors is None else own * factors[targets[row]]
            mass[row] = 0
        _raise_shift(tile, factors, shift, start, 0.0)
        _exponentiate(tile, factors, shift, mass, start)
        for row in range(start, start + ROWS):
            losses[row] = np.log(mass[row]) + shift[row] - losses[row]
            tile[targets[row], row] -= mass[row] if factors is None else mass[row] * factors[targets[row]]


@kernel("void(real[:, ::1], i8[::1], real[::1], real[::1], real[::1])")
def cross_entropy(tile: Any, targets: Any, shift: Any, mass: Any, losses: Any) -> None:
    """The cross-entropy of rows whose logits are all here, and its gradient.

    Args:
        tile: logits of all items, [V, R]; left as mass * (p - [the item is the row's target]), where p is the softmax.
        targets: the item of each row, [R], in 0..V-1.
        shift: receives the largest logit of each row, [R].
        mass: receives the sum of exp(logit - shift), [R].
        losses: receives the cross-entropy, [R].
    """
    _cross_entropy(tile, None, targets, shift, mass, losses)


@kernel("void(real[:, ::1], real[::1], i8[::1], real[::1], real[::1], real[::1])")
def scaled_cross_entropy(tile: Any, factors: Any, targets: Any, shift: Any, mass: Any, losses: Any) -> None:
    """The same where each item's logits are still to be multiplied by a factor; its gradient then has that, too.

    Args:
        tile: as above, but for the factors.
        factors: of the items, [V].
        targets, shift, mass, losses: as above.
    """
    _cross_entropy(tile, factors, targets, shift, mass, losses)
