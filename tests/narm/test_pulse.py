"""What is said of an epoch while it is trained."""

from __future__ import annotations

import math

import pytest

from narm import pulse as pulse_module
from narm.pulse import EpochProgress, Pulse


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pulse_module, "time", clock)
    return clock


def test_a_long_epoch_is_told_of_now_and_then_and_at_its_end(clock):
    told: list[EpochProgress] = []
    beat = Pulse(told.append, every=10)
    beat.begin(3, 1000)
    for step in range(1, 26):
        clock.now += 1
        beat.step(40 * step)
    beat.end()
    assert [(each.epoch, each.n_targets, each.seconds) for each in told] == [(3, 400, 10), (3, 800, 20), (3, 1000, 25)]
    assert [each.share for each in told] == [0.4, 0.8, 1.0]
    assert [each.seconds_left for each in told] == [pytest.approx(15), pytest.approx(5), 0]


def test_a_short_epoch_is_not(clock):
    beat = Pulse(lambda progress: pytest.fail("told"), every=10)
    for epoch in range(1, 9):
        beat.begin(epoch, 100)
        clock.now += 9
        beat.step(100)
        beat.end()


def test_nothing_is_foretold_before_the_first_step():
    assert math.isinf(EpochProgress(epoch=1, n_targets=0, expected=10, seconds=3).seconds_left)


def test_a_part_of_a_pass_may_have_a_few_targets_more_than_expected():
    assert EpochProgress(epoch=1, n_targets=11, expected=10, seconds=3).share == 1
