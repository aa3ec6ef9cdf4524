"""What a study would take: sums of what its configurations cost."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.study_spec import make_spec

from experiments.tuning.planning.estimate import DRAWN, Estimate, drawn_configs
from experiments.tuning.planning.probe import Cost


def cost(pass_seconds: float, validation_seconds: float = 1.0) -> Cost:
    return Cost(pass_seconds=pass_seconds, validation_seconds=validation_seconds, parameter_bytes=1)


def test_epochs_cost_their_part_of_a_pass_and_a_validation_and_workers_share_them():
    found = Estimate(
        default=cost(9), recipe=None, drawn=[cost(10), cost(30)], epochs_per_pass=4, trial_epochs=100,
        finalist_epochs=20, concurrency=2,
    )  # fmt: skip
    assert found.epoch_seconds(cost(10)) == 3.5
    assert found.mean_epoch_seconds == 6.0
    assert found.search_seconds == 300.0
    assert found.finalists_seconds == 60.0
    assert found.epochs_within(61.0) == 20


def test_configurations_are_of_the_space_and_the_same_for_the_same_seed(tmp_path: Path):
    spec = make_spec(tmp_path)
    drawn = drawn_configs(spec, DRAWN)
    assert drawn == drawn_configs(spec, DRAWN)
    assert all(spec.space.why_outside(config) is None for config in drawn)
    assert len({str(config.flat()) for config in drawn}) > 1


@pytest.mark.parametrize("seconds", [0.0, 5.9])
def test_too_small_a_budget_holds_nothing(seconds):
    found = Estimate(
        default=cost(9), recipe=None, drawn=[cost(5)], epochs_per_pass=1, trial_epochs=3, finalist_epochs=0,
        concurrency=1,
    )  # fmt: skip
    assert found.epochs_within(seconds) == 0
