"""Let the C library keep the memory that a training step frees for the next one."""

from __future__ import annotations

import ctypes
import functools

# Of glibc's malloc.h
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3

LARGEST_KEPT = 64 << 20  # bytes; a larger block goes back at once, so that a huge catalogue needs no more than before
TOTAL_KEPT = 1 << 30  # bytes at the end of the heap


@functools.cache
def keep_freed_memory() -> None:
    """Have freed blocks used again instead of returned to the system, for the rest of the process.

    glibc returns what is freed at the end of its heap, and a step allocates the same megabytes again: tens of
    thousands of page faults an epoch, which the kernel serves, page by page, while the other threads wait.
    C libraries without `mallopt` keep their ways.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_M_MMAP_THRESHOLD, LARGEST_KEPT)
    mallopt(_M_TRIM_THRESHOLD, TOTAL_KEPT)
