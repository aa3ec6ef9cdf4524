"""A single training, on a terminal and in a log file."""

from __future__ import annotations

import io

from rich.console import Console

from experiments.reporting import epoch_line
from experiments.reporting.epoch_line import EpochLine
from narm.pulse import EpochProgress


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


def progress(seconds: float) -> EpochProgress:
    return EpochProgress(epoch=1, n_targets=round(1000 * seconds), expected=400_000, seconds=seconds)


def test_a_log_gets_a_line_a_minute_unless_it_gets_others(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(epoch_line, "time", clock)
    console = Console(file=io.StringIO(), force_terminal=False, width=80)
    with EpochLine(console) as shown:
        shown.say("narm of 10 parameters")
        for second in range(1, 200):
            clock.now += 1
            shown.within_epoch(progress(second))
            if second == 130:
                shown.say("epoch 1: 130.0 s")
    assert console.file.getvalue().splitlines() == [
        "narm of 10 parameters",
        "epoch 1, 15 % of 400,000 targets, 5 min 40 s left",
        "epoch 1, 30 % of 400,000 targets, 4 min 40 s left",
        "epoch 1: 130.0 s",
        "epoch 1, 47 % of 400,000 targets, 3 min 30 s left",
    ]


def test_a_terminal_shows_one_line_that_goes_when_another_is_said():
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with EpochLine(console) as shown:
        shown.within_epoch(progress(100))
        shown.within_epoch(progress(200))
        shown.say("epoch 1: 400.0 s")
        before = console.file.getvalue()
        shown.within_epoch(progress(10))
    assert "50 % of 400,000 targets" in before
    assert before.endswith("\x1b[2Kepoch 1: 400.0 s\n")
    assert console.file.getvalue().endswith("\x1b[2K")


def test_a_quiet_training_shows_nothing():
    console = Console(file=io.StringIO(), force_terminal=True, quiet=True)
    with EpochLine(console) as shown:
        shown.within_epoch(progress(100))
    assert console.file.getvalue() == ""
