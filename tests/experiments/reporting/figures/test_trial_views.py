"""Copies of a study for figures."""

from __future__ import annotations

from optuna.study import Study
from optuna.trial import TrialState
from support.small_study import study_of, trial

from experiments.reporting.figures.trial_views import bare, judged


def test_judged_trials_keep_their_numbers_and_values(study, summary):
    view = judged(study)
    assert [t.value for t in view.trials] == [known.value for known in summary.trials]
    assert {t.state for t in view.trials} == {TrialState.COMPLETE, TrialState.FAIL}


COSTLY = {"hidden_size": 32, "learning_rate": 0.001}


def bounded(study: Study) -> Study:
    """The study, whose first trial breaks a constraint."""
    of_both = study.get_trials()
    for place, each in enumerate(of_both):
        each.set_constraint("megabytes <= 50", 0.5 - place)
    return study_of(of_both)


def test_a_bare_study_has_constraints_and_nothing_else_that_was_noted():
    study = study_of([trial(0, [0.9], COSTLY), trial(1, [0.5], COSTLY)])
    view = bare(bounded(study))
    assert [t.user_attrs for t in view.trials] == [{}, {}]
    assert view.best_trial.number == 1  # the better one breaks a constraint
