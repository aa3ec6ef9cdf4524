"""A search ends in good order when a person says so, or when nothing is worth waiting for."""

from __future__ import annotations

import signal
from contextlib import suppress

import pytest

from experiments.tuning.driver.signals import INTERRUPTS, remembered_interrupts
from experiments.tuning.driver.stopping import Interruption


class Work:
    """Something that only ends."""

    def __init__(self) -> None:
        self.is_interrupted = False
        self.may_end = False
        self.looks = 0

    def interrupt(self) -> None:
        self.is_interrupted = self.may_end = True

    def check_deadlines(self) -> None:
        self.looks += 1


def test_nothing_ends_before_it_may():
    work = Work()
    interruption = Interruption(work)
    assert not interruption.stop_all()
    assert not interruption("a", {})
    assert work.looks == 1
    work.may_end = True
    assert interruption.stop_all()
    assert not work.is_interrupted


@pytest.mark.usefixtures("heeds_sigint")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_ends_it_in_good_order_and_the_second_at_once(number):
    work = Work()
    interruption = Interruption(work)
    before = signal.getsignal(number)
    with interruption.on_signals():
        signal.raise_signal(number)
        assert interruption.stop_all()
        assert work.is_interrupted
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_terminal_that_goes_ends_it_in_good_order_however_many_say_so():
    work = Work()
    interruption = Interruption(work)
    with interruption.on_signals():
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)
        assert interruption.stop_all()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


@pytest.mark.parametrize("number", INTERRUPTS)
@pytest.mark.usefixtures("heeds_sigint")
def test_a_signal_that_was_lost_before_the_search_began_ends_it(number):
    work = Work()
    interruption = Interruption(work)
    with remembered_interrupts():
        with suppress(KeyboardInterrupt):  # as Python does in the callback of a weak reference
            signal.raise_signal(number)
        with interruption.on_signals():
            assert interruption.stop_all()
    assert work.is_interrupted
