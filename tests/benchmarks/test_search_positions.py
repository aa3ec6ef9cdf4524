"""Points as numbers, by positions that can be reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.curves import random_points
from benchmarks.recorded_space import recorded_space
from benchmarks.replay.positions import Positions
from narm.errors import InputError
from search_spaces.space import SearchSpace, parse_space

SPACE = """
learning_rate: {low: 1e-4, high: 1e-2, log: true}
hidden_size: {low: 20, high: 180, step: 20}
train_batch_size: {low: 256, high: 4096, log: true}
gru_bias: [false, true]
clip_grad_norm: [null, 1.0, 5.0]
"""
POINT = {"learning_rate": 1e-3, "hidden_size": 60, "train_batch_size": 512, "gru_bias": True, "clip_grad_norm": 5.0}
ENDS = {
    "learning_rate": (1e-4, 1e-2),
    "hidden_size": (20, 180),
    "train_batch_size": (256, 4096),
    "gru_bias": (False, True),
    "clip_grad_norm": (None, 5.0),
}


@pytest.fixture
def space() -> SearchSpace:
    return parse_space("hand", "hand.yaml", SPACE)


def test_a_position_is_a_share_of_a_range_a_step_or_a_choice(space: SearchSpace) -> None:
    # half of the way by the logarithm; the third of nine sizes; one of four doublings; numbers of choices
    np.testing.assert_allclose(Positions(space).of([POINT]), [[0.5, 2, 0.25, 1, 2]])


def test_positions_go_from_nothing_to_the_highest(space: SearchSpace) -> None:
    positions = Positions(space)
    assert positions.highest.tolist() == [1, 8, 1, 1, 2]
    assert positions.whole.tolist() == [False, True, False, True, True]
    lowest, highest = ({name: ends[end] for name, ends in ENDS.items()} for end in (0, 1))
    np.testing.assert_allclose(positions.of([lowest, highest]), [np.zeros(5), positions.highest])


def test_a_regression_sees_ranges_from_0_to_1_and_a_column_for_each_choice(space: SearchSpace) -> None:
    positions = Positions(space)
    features = positions.features(positions.of([POINT]))
    np.testing.assert_allclose(features, [[0.5, 0.25, 0.25, 0, 1, 0, 0, 1]])


def test_every_point_of_the_bundled_space_is_inside_and_draws_are_like_those_of_optuna() -> None:
    positions = Positions(recorded_space("narm"))
    points, drawn = positions.of(random_points(recorded_space("narm"), 1000, 1)), positions.drawn(1000, 1)
    for some in (points, drawn):
        assert ((some >= 0) & (some <= positions.highest)).all()
        assert (some[:, positions.whole] % 1 == 0).all()
    np.testing.assert_allclose(points.mean(axis=0), drawn.mean(axis=0), atol=0.05 * positions.highest.max())
    np.testing.assert_allclose(points.std(axis=0), drawn.std(axis=0), atol=0.05 * positions.highest.max())


def test_a_range_of_one_value_is_a_position_of_0() -> None:
    positions = Positions(parse_space("one", "one.yaml", "hidden_size: {low: 64, high: 64, step: 16}"))
    assert positions.features(positions.of([{"hidden_size": 64}])).tolist() == [[0]]


def test_a_condition_is_refused_with_its_line() -> None:
    text = "gru_bias: [false, true]\nlearning_rate: {low: 1e-4, high: 1e-2, log: true, when: {gru_bias: true}}"
    with pytest.raises(InputError, match=r"when\.yaml:2: learning_rate has a condition"):
        Positions(parse_space("when", "when.yaml", text))
