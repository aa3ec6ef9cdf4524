"""A search ends in good order, and says why."""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from typing import cast

import pytest

from experiments.engine import Engine
from experiments.interruption import INTERRUPTED, TIME_BUDGET, Interruption
from experiments.signals import remembered_interrupts


class Idle:
    """An engine that only ends."""

    reason: str | None = None

    def stop(self, reason: str) -> None:
        self.reason = reason


def engine() -> Engine:
    return cast("Engine", Idle())


def test_the_engine_may_end_it():
    idle = engine()
    interruption = Interruption(idle, deadline=None)
    idle.stop("epoch budget")
    assert interruption.stop_all()
    assert interruption.reason is None


def test_nothing_ends_a_search_without_a_deadline():
    interruption = Interruption(engine(), deadline=None)
    assert not interruption.stop_all()
    assert not interruption("a", {})
    assert interruption.reason is None


def test_the_time_budget_ends_it():
    assert not Interruption(engine(), deadline=time.monotonic() + 60).stop_all()
    over = Interruption(engine(), deadline=time.monotonic())
    assert over.stop_all()
    assert over.reason == TIME_BUDGET


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_ends_it_in_good_order_and_the_second_at_once(number):
    interruption = Interruption(engine(), deadline=None)
    before = signal.getsignal(number)
    with interruption.on_signals():
        signal.raise_signal(number)
        assert interruption.stop_all()
        assert interruption.reason == INTERRUPTED
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("heeds_sigint")
def test_a_signal_that_was_lost_before_the_search_began_ends_it(number):
    interruption = Interruption(engine(), deadline=None)
    with remembered_interrupts():
        with suppress(KeyboardInterrupt):  # as Python does in the callback of a weak reference
            signal.raise_signal(number)
        with interruption.on_signals():
            assert interruption.stop_all()
    assert interruption.reason == INTERRUPTED
