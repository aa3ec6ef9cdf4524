"""Keeps Python's garbage collector short while slots wait for the driver."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def short_collections() -> Iterator[None]:
    """Exclude what exists by now, mostly modules, which live to the end, from the collection of cycles.

    To go through all of it takes 0.4 s, in which the driver blocks and a worker idles.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
