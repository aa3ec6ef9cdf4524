"""How far an epoch has come, in words, also some time after that was said."""

from __future__ import annotations

import pytest

from experiments.reporting.within_epoch import Heard
from narm.pulse import EpochProgress


def heard(n_targets: int) -> Heard:
    return Heard(EpochProgress(epoch=3, n_targets=n_targets, expected=200_000, seconds=60), at=1000)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (1000, "epoch 3, 25 % of 200,000 targets, 3 min 0 s left"),
        (1030, "epoch 3, 37 % of 200,000 targets, 2 min 30 s left"),
        (1200, "epoch 3, 99 % of 200,000 targets, 0 s left"),  # slower than foretold
    ],
)
def test_it_goes_on_at_the_speed_so_far(now, words):
    assert heard(50_000).words(now) == words


def test_what_is_trained_is_to_be_validated():
    assert heard(200_000).words(1000) == "epoch 3, validating"
