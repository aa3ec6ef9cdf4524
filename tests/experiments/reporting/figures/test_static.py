"""Figures as PNG."""

from __future__ import annotations

import io

import matplotlib.image
import pytest
from support.small_study import study_of, summary_of, trial

from experiments.reporting.figures.interactive import figures
from experiments.reporting.figures.static import images

pytestmark = pytest.mark.slow


def test_each_has_a_png(drawn, pictures):
    slices = {"slice_learning_rate", "slice_hidden_size"}
    assert set(pictures.made) == set(drawn.made) - slices | {"slices"}
    assert all(content.startswith(b"\x89PNG") for content in pictures.made.values())


def test_slices_are_a_panel_each_four_in_a_row(pictures):
    content = pictures.made["slices"]
    height, width, _ = matplotlib.image.imread(io.BytesIO(content)).shape
    assert width > 1.5 * height  # two panels


def test_two_objectives_have_a_front():
    trials = [
        trial(number, [0.1 * number], {"learning_rate": 0.001 * number, "hidden_size": 16}, costs=[1000.0 * number])
        for number in range(1, 4)
    ]
    study = study_of(trials, directions=("maximize", "minimize"))
    for drawn in (figures(study, summary_of(study)), images(study, summary_of(study))):
        assert {"pareto_front", "optimization_history"} <= set(drawn.made)
