"""Ctrl-C and SIGTERM are heeded, late if they were lost, and once."""

from __future__ import annotations

import signal
import weakref

import pytest

from experiments.signals import heed_interrupts, remembered_interrupts

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


def test_a_signal_that_the_program_was_started_to_ignore_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does with a job in the background
    with remembered_interrupts():
        signal.raise_signal(signal.SIGINT)
        heed_interrupts()
