"""The spaces of the recorded curves."""

from __future__ import annotations

import json

import pytest

from benchmarks.curves import load_curves
from benchmarks.recorded_space import recorded_space
from narm.config import Config


@pytest.mark.parametrize("name", ["recbole", "narm"])
def test_every_recorded_point_lies_in_its_space(name: str) -> None:
    curves, space = load_curves(), recorded_space(name)
    points = curves[curves["space"] == space.name]["params"].unique()
    assert len(points)
    assert all(space.contains(json.loads(point)) for point in points)
    assert space.why_outside(Config()) is None
