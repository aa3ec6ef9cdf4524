"""Rows of one length on the CPU, and their gradient: each is one pass over the rows.

torch takes half a dozen passes for either, which with a large catalogue is a good part of a step.

N rows, D embedding.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from narm.kernels.compile import kernel


@kernel("void(i8, i8, real[:, ::1], real[:, ::1], real[::1], real, real)")
def normalize(thread: int, threads: int, rows: Any, even: Any, factors: Any, length: Any, shortest: Any) -> None:
    """Bring each row to one length.

    Args:
        thread, threads: this thread's share is a contiguous stretch.
        rows: [N, D].
        even: receives the rows of that length, [N, D].
        factors: receives what each row was multiplied by, [N].
        length: of the rows from now on.
        shortest: what a shorter row, such as one of zeros, is taken for.
    """
    n_rows, width = rows.shape
    share = (n_rows + threads - 1) // threads
    for row in range(thread * share, min(n_rows, (thread + 1) * share)):
        total = shortest - shortest  # of the same type: a plain 0 would turn the loop to float64
        for d in range(width):
            total += rows[row, d] * rows[row, d]
        factor = length / max(np.sqrt(total), shortest)
        factors[row] = factor
        for d in range(width):
            even[row, d] = rows[row, d] * factor


@kernel("void(i8, i8, real[:, ::1], real[:, ::1], real[::1], real, real[:, ::1])")
def pull_back(thread: int, threads: int, gradient: Any, even: Any, factors: Any, length: Any, pulled: Any) -> None:
    """The gradient for the rows: what of it is not along the row, times the row's factor.

    Args:
        thread, threads: as above.
        gradient: for the rows of one length, [N, D].
        even, factors, length: as `normalize` has them, [N, D], [N] and a number.
        pulled: receives the gradient for the rows, [N, D].
    """
    n_rows, width = even.shape
    share = (n_rows + threads - 1) // threads
    for row in range(thread * share, min(n_rows, (thread + 1) * share)):
        factor = factors[row]
        along = factor - factor
        for d in range(width):
            along += gradient[row, d] * even[row, d]
        along = along / (length * length)
        for d in range(width):
            pulled[row, d] = (gradient[row, d] - along * even[row, d]) * factor


@kernel("void(i8, i8, real[:, ::1], real[::1], real)")
def inverse_lengths(thread: int, threads: int, rows: Any, factors: Any, shortest: Any) -> None:
    """What would bring each row to length one.

    Args:
        thread, threads: as above.
        rows: [N, D].
        factors: receives the inverse of each row's length, [N].
        shortest: what a shorter row, such as one of zeros, is taken for.
    """
    n_rows, width = rows.shape
    share = (n_rows + threads - 1) // threads
    for row in range(thread * share, min(n_rows, (thread + 1) * share)):
        total = shortest - shortest
        for d in range(width):
            total += rows[row, d] * rows[row, d]
        length = max(np.sqrt(total), shortest)
        factors[row] = (length / length) / length


@kernel("void(i8, i8, real[:, ::1], real[:, ::1], real[::1])")
def take_out(thread: int, threads: int, gradient: Any, rows: Any, factors: Any) -> None:
    """Take out of a gradient what lies along the rows, in place.

    Args:
        thread, threads: as above.
        gradient: for rows of length one, times the factors, [N, D]; left as the gradient for the rows.
        rows: [N, D].
        factors: their inverse lengths, [N].
    """
    n_rows, width = rows.shape
    share = (n_rows + threads - 1) // threads
    for row in range(thread * share, min(n_rows, (thread + 1) * share)):
        along = factors[row] - factors[row]
        for d in range(width):
            along += gradient[row, d] * rows[row, d]
        along *= factors[row] * factors[row]
        for d in range(width):
            gradient[row, d] -= along * rows[row, d]
