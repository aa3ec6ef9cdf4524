"""Interrupts are heeded, late if they were lost, and once; what is to be ignored is."""

from __future__ import annotations

import ctypes
import io
import os
import signal
import sys
import weakref

import pytest

from experiments.tuning.driver.signals import (
    INTERRUPTS,
    heed_interrupts,
    interrupts_to,
    remembered_interrupts,
    was_interrupted,
)

pytestmark = pytest.mark.usefixtures("heeds_sigint")
EACH = pytest.mark.parametrize("number", INTERRUPTS)


class Thing:
    """Something to refer to weakly."""


@EACH
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_python_drops_is_remembered(number):
    with remembered_interrupts():
        thing = Thing()
        reference = weakref.ref(thing, lambda _: signal.raise_signal(number))
        del thing
        assert reference() is None
        with pytest.raises(KeyboardInterrupt):
            heed_interrupts()


@EACH
def test_a_signal_of_an_earlier_command_is_not(number):
    with pytest.raises(KeyboardInterrupt), remembered_interrupts():
        signal.raise_signal(number)
    with remembered_interrupts():
        heed_interrupts()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_dropped_in_a_callback_of_c_is_remembered():
    with remembered_interrupts():
        ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(signal.SIGTERM))()  # as LLVM calls numba
        assert was_interrupted()


@EACH
def test_a_signal_that_the_process_was_started_to_ignore_stays_ignored(number):
    before = signal.signal(number, signal.SIG_IGN)
    with remembered_interrupts(), interrupts_to(lambda *_: pytest.fail("it was heeded")):
        signal.raise_signal(number)
        heed_interrupts()
        assert signal.getsignal(number) is signal.SIG_IGN
    signal.signal(number, before)


def test_what_goes_to_a_terminal_that_has_hung_up_goes_nowhere(monkeypatch, tmp_path):
    keyboard, terminal = os.openpty()
    with (
        open(terminal, "w", buffering=1) as screen,  # noqa: PTH123 - of a descriptor
        (tmp_path / "log").open("w") as log,
        remembered_interrupts(),
    ):
        monkeypatch.setattr(sys, "stdout", log)
        monkeypatch.setattr(sys, "stderr", screen)
        os.close(keyboard)
        with pytest.raises(OSError, match="Input/output error"):
            os.write(terminal, b"lost")
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGHUP)
        print("the end", file=sys.stderr)
        print("the end")
    assert (tmp_path / "log").read_text() == "the end\n"


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_where_there_is_no_terminal_none_is_left(stream, monkeypatch):
    monkeypatch.setattr(sys, "stdout", stream)
    with pytest.raises(KeyboardInterrupt), remembered_interrupts():
        signal.raise_signal(signal.SIGHUP)


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
    outside = [signal.getsignal(number) for number in INTERRUPTS]
    with remembered_interrupts():
        pass
    assert [signal.getsignal(number) for number in INTERRUPTS] == outside
    assert signal.set_wakeup_fd(-1) == -1
    heed_interrupts()
