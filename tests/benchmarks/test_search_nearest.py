"""The nearest recorded point, by distances that can be reckoned by hand."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.curves import random_points
from benchmarks.replay.nearest import Nearest
from search_spaces.space import SearchSpace, load_space, parse_space

SPACE = """
learning_rate: {low: 1e-4, high: 1e-2, log: true}
hidden_size: {low: 20, high: 180, step: 20}
attention: [sum, softmax]
gru_bias: [false, true]
clip_grad_norm: [null, 1.0, 5.0]
"""
MIDDLE = {
    "learning_rate": 1e-3,
    "hidden_size": 100,
    "attention": "sum",
    "gru_bias": False,
    "clip_grad_norm": None,
}


@pytest.fixture
def space() -> SearchSpace:
    return parse_space("hand", "hand.yaml", SPACE)


def nearest(space: SearchSpace, params: dict[str, Any], *changes: dict[str, Any]) -> int:
    """Which of the points that these changes make of the middle is nearest."""
    return Nearest(space, [{**MIDDLE, **change} for change in changes]).index({**MIDDLE, **params})


def test_a_point_is_nearest_to_itself() -> None:
    points = random_points(load_space("narm"), 50, 1)
    assert [Nearest(load_space("narm"), points).index(point) for point in points] == list(range(50))


def test_a_logarithmic_range_is_measured_by_its_logarithm(space: SearchSpace) -> None:
    # 5e-4 is 0.35 of the cube from 1e-4 and 0.15 from 1e-3; without the logarithm, 1e-4 would be nearer
    assert nearest(space, {"learning_rate": 5e-4}, {"learning_rate": 1e-4}, {"learning_rate": 1e-3}) == 1


def test_ranges_count_by_their_width(space: SearchSpace) -> None:
    # 80 of 160 units are half of the range, as is a factor of 10 of the learning rate: 60 are less
    assert nearest(space, {}, {"learning_rate": 1e-2}, {"hidden_size": 160}) == 1
    assert nearest(space, {"hidden_size": 20}, {"learning_rate": 1e-2, "hidden_size": 20}, {"hidden_size": 120}) == 0


def test_distances_add_up_in_squares(space: SearchSpace) -> None:
    # from the corner half of each range is 0.5 squared, 0.8 of one 0.64; as plain sums they would be 1 and 0.8
    corner = {"learning_rate": 1e-4, "hidden_size": 20}
    half_of_each, much_of_one = {"learning_rate": 1e-3, "hidden_size": 100}, {**corner, "learning_rate": 10**-2.4}
    assert nearest(space, corner, much_of_one, half_of_each) == 1


@pytest.mark.parametrize(
    ("name", "value"), [("attention", "softmax"), ("gru_bias", True), ("clip_grad_norm", 1.0), ("clip_grad_norm", 5.0)]
)
def test_another_choice_is_as_far_as_a_whole_range_whichever_it_is(
    space: SearchSpace, name: str, value: object
) -> None:
    at_the_end = {"learning_rate": 1e-4}
    almost, whole = {"learning_rate": 9e-3}, {"learning_rate": 1e-2}
    assert nearest(space, at_the_end, {**at_the_end, name: value}, almost) == 1
    assert nearest(space, at_the_end, {**at_the_end, name: value}, {**whole, "hidden_size": 120}) == 0


def test_of_equally_near_points_it_is_the_earlier(space: SearchSpace) -> None:
    assert nearest(space, {}, {"gru_bias": True}, {"attention": "softmax"}) == 0
    assert nearest(space, {}, {"clip_grad_norm": 5.0}, {"clip_grad_norm": 1.0}) == 0


def test_a_parameter_that_does_not_apply_is_as_far_as_another_choice_and_equal_to_itself() -> None:
    text = "gru_bias: [false, true]\nlearning_rate: {low: 1e-4, high: 1e-2, log: true, when: {gru_bias: true}}"
    points = [{"gru_bias": True, "learning_rate": 1e-4}, {"gru_bias": False}]
    found = Nearest(parse_space("when", "when.yaml", text), points)
    assert found.index({"gru_bias": False}) == 1
    assert found.index({"gru_bias": True, "learning_rate": 1e-2}) == 0


def test_the_neighbour_of_a_point_is_another_point(space: SearchSpace) -> None:
    points = [{**MIDDLE, "hidden_size": size} for size in (20, 180, 40, 120)]
    assert Nearest(space, points).neighbours().tolist() == [2, 3, 0, 1]
