"""Coverage, Gini index and popularity bias on lists whose values are known."""

from __future__ import annotations

import numpy as np
import pytest

from narm.evaluation.beyond_accuracy import beyond_accuracy

LISTS = np.array([[1, 2], [1, 3], [1, 2]])  # of items 1..4
COUNTS = np.array([0, 60, 20, 10, 10])
TARGETS = np.array([2, 3, 4, 2])


def test_a_known_case():
    found = beyond_accuracy(LISTS, TARGETS, COUNTS, [1, 2])
    assert found["coverage_at_1"] == 0.25
    assert found["coverage_at_2"] == 0.75
    assert found["gini_at_1"] == pytest.approx(0.75)  # one of four items has it all: 1 - 1/4
    assert found["popularity_bias_at_1"] == pytest.approx(60 / 15)
    assert found["popularity_bias_at_2"] == pytest.approx(((3 * 60 + 2 * 20 + 10) / 6) / 15)


def test_targets_that_train_never_saw_have_no_popularity_to_compare_with():
    assert "popularity_bias_at_2" not in beyond_accuracy(LISTS, np.array([2]), np.array([0, 5, 0, 0, 0]), [2])
