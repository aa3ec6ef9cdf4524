"""Copies of a study for figures."""

from __future__ import annotations

from optuna.trial import TrialState

from experiments.reporting.figures.trial_views import judged


def test_judged_trials_keep_their_numbers_and_values(study, summary):
    view = judged(study)
    assert [t.value for t in view.trials] == [known.value for known in summary.trials]
    assert {t.state for t in view.trials} == {TrialState.COMPLETE, TrialState.FAIL}
