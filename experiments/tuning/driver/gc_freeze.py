"""Keeps Python's garbage collector short while slots wait for the driver."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def short_collections() -> Iterator[None]:
    """Let the collector of cycles leave alone what is there by now: modules, most of it, that live to the end.

    To go through all of it takes 0.4 s, in which the driver answers nobody and a slot stands empty.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
