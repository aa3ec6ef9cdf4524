"""A finalist trains until its early stopping, where its configuration does not say when it ends."""

from __future__ import annotations

import pytest

from experiments.tuning.study.finalist_epochs import finalist_epochs
from narm.config import Config

SEARCH = Config.from_flat(epochs=25)


def test_a_finalist_trains_until_its_early_stop_within_recboles_bound():
    assert finalist_epochs({}, SEARCH, None) == 300
    assert finalist_epochs({}, SEARCH.replace({"epochs_per_pass": 4}), None) == 1200  # as many passes
    assert finalist_epochs({}, SEARCH.replace({"epochs": 500}), None) == 500


@pytest.mark.parametrize(("wanted", "expected"), [(40, 40), (1, 25)])
def test_a_bound_of_ones_own_is_no_shorter_than_a_trial(wanted, expected):
    assert finalist_epochs({}, SEARCH, wanted) == expected


@pytest.mark.parametrize("wanted", [None, 40])
@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_a_schedule_that_ends_with_the_last_epoch_keeps_it(schedule, wanted):
    assert finalist_epochs({"learning_rate_schedule": schedule}, SEARCH, wanted) == 25
