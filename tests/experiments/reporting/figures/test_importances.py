"""Which parameters decided."""

from __future__ import annotations

import pytest
from support.small_study import search, study_of

from experiments.reporting.figures.importances import importances
from experiments.reporting.figures.trial_views import judged


def test_importances_find_the_parameter_that_decides(study):
    shares = importances(judged(study))
    assert list(shares) == ["learning_rate", "hidden_size"]
    assert shares["learning_rate"] > 0.7
    assert sum(shares.values()) == pytest.approx(1)


def test_few_trials_have_no_importances():
    assert importances(judged(study_of(search(4)))) == {}
