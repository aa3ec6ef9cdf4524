"""Kernels on the threads that torch already has.

A second pool, numba's or Python's, would fight torch's for the cores: torch's threads stay awake for
milliseconds after each operation. So the kernels ask the OpenMP runtime that torch is linked to for its team.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch


def run(kernel: Callable[..., None], *arguments: Any) -> None:
    """Call ``kernel(thread, threads, *arguments)`` on as many threads as torch computes with.

    The kernel must release the GIL, and divide its work such that no two threads write to the same place.
    """
    threads = torch.get_num_threads()
    if threads == 1:
        kernel(0, 1, *arguments)
    elif (runtime := _openmp()) is not None:
        _run_on_team(runtime, threads, kernel, arguments)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda thread: kernel(thread, threads, *arguments), range(threads)))


def _run_on_team(runtime: ctypes.CDLL, threads: int, kernel: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    errors: list[BaseException] = []

    def work(_: Any) -> None:
        # a team may be smaller than asked for: each member takes every size-th share
        size = runtime.omp_get_num_threads()
        try:
            for thread in range(runtime.omp_get_thread_num(), threads, size):
                kernel(thread, threads, *arguments)
        except BaseException as error:  # must not unwind through the runtime
            errors.append(error)

    runtime.GOMP_parallel(_TASK(work), None, threads, 0)
    if errors:
        raise errors[0]


_TASK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


@functools.cache
def _openmp() -> ctypes.CDLL | None:
    """The OpenMP runtime that torch computes with; None if it does not speak GNU's interface."""
    try:
        # symbols of a library's dependencies are found through it
        library = ctypes.CDLL(str(next((Path(torch.__file__).parent / "lib").glob("libtorch_cpu.*"))))
        library.GOMP_parallel.argtypes = [_TASK, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
        library.GOMP_parallel.restype = None
    except (AttributeError, OSError, StopIteration):
        return None
    return library
