"""Figures of the page."""

from __future__ import annotations

import pytest
from optuna.trial import TrialState
from support.small_study import search, study_of, summary_of

from experiments.reporting.figures.interactive import figures
from experiments.reporting.figures.trial_views import bare


def test_a_search_has_every_figure_but_a_front(drawn):
    assert list(drawn.made) == [
        "optimization_history", "learning_curves", "importances", "parallel_coordinate", "contour", "rungs",
        "timeline", "by_length", "slice_learning_rate", "slice_hidden_size",
    ]  # fmt: skip
    assert list(drawn.left_out) == ["pareto_front"]
    assert "two or three objectives" in drawn.left_out["pareto_front"]


def test_what_was_stopped_early_counts_in_the_history(study, summary, drawn):
    shown = drawn.made["optimization_history"]
    points = next(trace for trace in shown.data if trace.mode == "markers")
    assert len(points.x) == len([t for t in study.trials if t.state is not TrialState.FAIL]) > summary.counts.complete


def test_no_traceback_is_under_the_mouse(study, drawn):
    assert not any(t.user_attrs for t in bare(study).trials)
    assert [t.state for t in bare(study).trials] == [t.state for t in study.trials]
    assert not any("/secret" in figure.to_json() for figure in drawn.made.values())


def test_the_label_of_the_largest_bar_has_room(drawn):
    figure = drawn.made["importances"]
    assert figure.layout.xaxis.range[1] == pytest.approx(1.2 * max(figure.data[0].x))
    assert figure.data[0].cliponaxis is False


def test_few_trials_have_whole_numbers():
    few = study_of(search(4))
    assert figures(few, summary_of(few)).made["optimization_history"].layout.xaxis.dtick == 1
