"""Ticks of logarithmic and linear axes."""

from __future__ import annotations

import pytest

from experiments.reporting.figures.ticks import linear_ticks, log_ticks


def test_logarithmic_axes_speak_plainly(drawn):
    axis = drawn.made["slice_learning_rate"].layout.xaxis
    assert {"0.001"} <= set(axis.ticktext) <= {"0.0001", "0.001", "0.01"}
    assert log_ticks(1e-4, 1e-2) == [1e-4, 1e-3, 1e-2]
    assert log_ticks(1.5e-3, 1.2e-2) == [2e-3, 5e-3, 1e-2]
    assert log_ticks(3e-3, 4e-3) == []
    assert linear_ticks(0.8, 1.0) == pytest.approx([0.8, 0.85, 0.9, 0.95, 1.0])
