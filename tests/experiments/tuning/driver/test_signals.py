"""Ctrl-C and SIGTERM are heeded, late if they were lost, and once."""

from __future__ import annotations

import signal
import weakref

import pytest

from experiments.tuning.driver.signals import heed_interrupts, remembered_interrupts

pytestmark = pytest.mark.usefixtures("heeds_sigint")
BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


class Thing:
    """Something to refer to weakly."""


@BOTH
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_python_drops_is_remembered(number):
    with remembered_interrupts():
        thing = Thing()
        reference = weakref.ref(thing, lambda _: signal.raise_signal(number))
        del thing
        assert reference() is None
        with pytest.raises(KeyboardInterrupt):
            heed_interrupts()


@BOTH
def test_a_signal_of_an_earlier_command_is_not(number):
    with pytest.raises(KeyboardInterrupt), remembered_interrupts():
        signal.raise_signal(number)
    with remembered_interrupts():
        heed_interrupts()


def test_a_signal_is_remembered_whosever_handler_it_met():
    with remembered_interrupts():
        signal.signal(signal.SIGTERM, lambda *_: None)  # as while Ray starts
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            heed_interrupts()


def test_other_signals_are_no_interruption():
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    with remembered_interrupts():
        signal.raise_signal(signal.SIGUSR1)
        heed_interrupts()
    signal.signal(signal.SIGUSR1, before)


def test_nothing_is_left_behind():
    outside = signal.getsignal(signal.SIGTERM)
    with remembered_interrupts():
        pass
    assert signal.getsignal(signal.SIGTERM) is outside
    assert signal.set_wakeup_fd(-1) == -1
    heed_interrupts()
