"""Rows of length one on the CPU, and their gradient: each is one pass over the rows.

torch takes half a dozen passes for either, which with a large catalogue is a good part of a step.

N rows, D embedding.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from narm.kernels.compile import kernel


@kernel("void(i8, i8, real[:, ::1], real[:, ::1], real[::1], real)")
def normalize(thread: int, threads: int, rows: Any, units: Any, lengths: Any, shortest: Any) -> None:
    """Divide each row by its length.

    Args:
        thread, threads: this thread's share is a contiguous stretch.
        rows: [N, D].
        units: receives the rows of length one, [N, D].
        lengths: receives the lengths, [N].
        shortest: what a shorter row, such as one of zeros, is divided by.
    """
    n_rows, width = rows.shape
    share = (n_rows + threads - 1) // threads
    for row in range(thread * share, min(n_rows, (thread + 1) * share)):
        total = shortest - shortest  # of the same type: a plain 0 would turn the loop to float64
        for d in range(width):
            total += rows[row, d] * rows[row, d]
        length = max(np.sqrt(total), shortest)
        lengths[row] = length
        inverse = (length / length) / length
        for d in range(width):
            units[row, d] = rows[row, d] * inverse


@kernel("void(i8, i8, real[:, ::1], real[:, ::1], real[::1], real[:, ::1])")
def pull_back(thread: int, threads: int, gradient: Any, units: Any, lengths: Any, pulled: Any) -> None:
    """The gradient for the rows: what of it is not along the row, over the row's length.

    Args:
        thread, threads: as above.
        gradient: for the rows of length one, [N, D].
        units, lengths: as `normalize` left them, [N, D] and [N].
        pulled: receives the gradient for the rows, [N, D].
    """
    n_rows, width = units.shape
    share = (n_rows + threads - 1) // threads
    for row in range(thread * share, min(n_rows, (thread + 1) * share)):
        length = lengths[row]
        along = length - length
        for d in range(width):
            along += gradient[row, d] * units[row, d]
        inverse = (length / length) / length
        for d in range(width):
            pulled[row, d] = (gradient[row, d] - along * units[row, d]) * inverse
