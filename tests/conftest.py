"""Fixtures that several packages' tests share: small sessions whose next item is known."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator

import pytest
import torch
from hypothesis import settings
from support.ring import ring_of_items

from narm.config import DataConfig
from narm.data.datasets import load_splits
from narm.data.sessions import Splits
from narm.errors import InputError

settings.register_profile("no deadline", deadline=None)  # a busy machine is not a failure
settings.load_profile("no deadline")


@pytest.fixture(autouse=True)
def _one_thread():
    """Small tensors gain nothing from threads, and bits must not depend on the machine."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _log_levels():
    """A command sets how much its loggers say, for the rest of its process."""
    loggers = [logging.getLogger(name) for name in (None, "narm", "experiments", "search_spaces")]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
def heeds_sigint() -> Iterator[None]:
    """SIGINT as Python has it: a job that a shell has put into the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def ring_splits() -> Splits:
    """A ring of 19 items: the next item is always the one after, so a good model gets every target."""
    return ring_of_items()


@pytest.fixture(scope="session")
def ml_100k() -> Splits:
    """ml-100k from the package index or the cache; the test is skipped where neither is at hand."""
    try:
        return load_splits(DataConfig(dataset="ml-100k"))
    except InputError as error:
        pytest.skip(str(error))
