"""Figures of a study: what they show, and that none of them ever fails."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import matplotlib.image
import matplotlib.pyplot as plt
import optuna
import plotly.graph_objects as go
import pytest
from matplotlib.axes import Axes
from optuna.trial import TrialState
from support.search_summary import FINALS, finalist
from support.small_study import search, study_of, summary_of, trial

from experiments.reporting.figures import interactive, static
from experiments.reporting.figures.by_length import length_lines
from experiments.reporting.figures.coordinates import coordinates
from experiments.reporting.figures.curves import learning_curves, rungs
from experiments.reporting.figures.importances import importances
from experiments.reporting.figures.interactive import figures
from experiments.reporting.figures.material import Drawings, Impossible, Material, draw_all
from experiments.reporting.figures.static import images
from experiments.reporting.figures.ticks import linear_ticks, log_ticks
from experiments.reporting.figures.trial_views import bare, judged
from experiments.tuning.study.job_log import JobTimes
from experiments.tuning.study.summary import Summary


@pytest.fixture(scope="module")
def study() -> optuna.Study:
    return study_of(search(14))


@pytest.fixture(scope="module")
def summary(study: optuna.Study) -> Summary:
    return summary_of(study)


@pytest.fixture(scope="module")
def drawn(study: optuna.Study, summary: Summary) -> Drawings[go.Figure]:
    return figures(study, summary)


@pytest.fixture(scope="module")
def pictures(study: optuna.Study, summary: Summary) -> Drawings[bytes]:
    return images(study, summary)


def static_figure(name: str, *given: Any) -> Drawings[Axes]:
    """One figure of matplotlib's, without the PNG: that takes most of its time."""
    found = draw_all({name: static.ARTISTS[name]}, Material(*given))
    plt.close("all")
    return found


def test_a_search_has_every_figure_but_a_front(drawn):
    assert list(drawn.made) == [
        "optimization_history", "learning_curves", "importances", "parallel_coordinate", "contour", "rungs",
        "timeline", "by_length", "slice_learning_rate", "slice_hidden_size",
    ]  # fmt: skip
    assert list(drawn.left_out) == ["pareto_front"]
    assert "two or three objectives" in drawn.left_out["pareto_front"]


def test_each_has_a_png(drawn, pictures):
    slices = {"slice_learning_rate", "slice_hidden_size"}
    assert set(pictures.made) == set(drawn.made) - slices | {"slices"}
    assert all(content.startswith(b"\x89PNG") for content in pictures.made.values())


def test_two_objectives_have_a_front():
    trials = [
        trial(number, [0.1 * number], {"learning_rate": 0.001 * number, "hidden_size": 16}, costs=[1000.0 * number])
        for number in range(1, 4)
    ]
    study = study_of(trials, directions=("maximize", "minimize"))
    for drawn in (figures(study, summary_of(study)), images(study, summary_of(study))):
        assert {"pareto_front", "optimization_history"} <= set(drawn.made)


ODD_STUDIES: dict[str, list[Any]] = {
    "no trial": [],
    "one trial": [trial(0, [0.1, 0.2], {"learning_rate": 0.001, "hidden_size": 16})],
    "only the default": [trial(0, [0.1])],
    "all failed": [trial(n, [], state=TrialState.FAIL) for n in range(3)],
    "constant parameters": [trial(n, [0.1, 0.1 * n], {"learning_rate": 0.01, "hidden_size": 16}) for n in range(8)],
    "constant values": [trial(n, [0.2, 0.2], {"learning_rate": 0.001 * (n + 1), "hidden_size": 16}) for n in range(8)],
    "one parameter": [trial(n, [0.1 * n], {"learning_rate": 0.001 * (n + 1)}) for n in range(8)],
    "parameters that never meet": [
        trial(n, [0.1 * n], {"learning_rate": 0.001 * (n + 1)} if n % 2 else {"hidden_size": [16, 32][n // 2 % 2]})
        for n in range(8)
    ],
    "all pruned": [
        trial(n, [0.1 * n], {"learning_rate": 0.001 * (n + 1), "hidden_size": 16}, state=TrialState.PRUNED)
        for n in range(8)
    ],
    "interrupted": [trial(0, [0.1, 0.2], {"learning_rate": 0.001}, state=TrialState.WAITING)],
}  # fmt: skip


@pytest.mark.parametrize("name", ODD_STUDIES)
@pytest.mark.parametrize("draw", [figures, images])
def test_what_a_study_has_nothing_for_is_left_out_with_a_reason(draw: Callable[..., Any], name: str) -> None:
    study = study_of(ODD_STUDIES[name])
    drawn = draw(study, summary_of(study, default=None))
    known = interactive.ARTISTS if draw is figures else static.ARTISTS
    assert set(known) <= set(drawn.made) | set(drawn.left_out)
    assert not set(drawn.made) & set(drawn.left_out)
    for reason in drawn.left_out.values():
        assert "Error" not in reason, reason  # each was foreseen


def test_a_figure_that_fails_is_left_out_and_the_others_are_drawn(study, summary):
    def broken(material: Material) -> str:
        raise KeyError("surprise")

    def impossible(material: Material) -> str:
        raise Impossible("too little")

    drawn = draw_all({"a": broken, "b": impossible, "c": lambda _: "drawn"}, Material(study, summary))
    assert drawn.made == {"c": "drawn"}
    assert drawn.left_out == {"a": "KeyError: 'surprise'", "b": "too little"}


def test_what_was_stopped_early_counts_in_the_history(study, summary, drawn):
    shown = drawn.made["optimization_history"]
    points = next(trace for trace in shown.data if trace.mode == "markers")
    assert len(points.x) == len([t for t in study.trials if t.state is not TrialState.FAIL]) > summary.counts.complete


def test_judged_trials_keep_their_numbers_and_values(study, summary):
    view = judged(study)
    assert [t.value for t in view.trials] == [known.value for known in summary.trials]
    assert {t.state for t in view.trials} == {TrialState.COMPLETE, TrialState.FAIL}


def test_no_traceback_is_under_the_mouse(study, drawn):
    assert not any(t.user_attrs for t in bare(study).trials)
    assert [t.state for t in bare(study).trials] == [t.state for t in study.trials]
    assert not any("/secret" in figure.to_json() for figure in drawn.made.values())


def test_importances_find_the_parameter_that_decides(study):
    shares = importances(judged(study))
    assert list(shares) == ["learning_rate", "hidden_size"]
    assert shares["learning_rate"] > 0.7
    assert sum(shares.values()) == pytest.approx(1)


def test_few_trials_have_no_importances():
    assert importances(judged(study_of(search(4)))) == {}


def test_the_winner_and_the_default_stand_out_among_the_curves(study, summary, drawn):
    curves = learning_curves(study, summary)
    assert [(curve.number, curve.group) for curve in curves[-2:]] == [(0, "default"), (1, "winner")]
    assert {curve.group for curve in curves[:-2]} == {"stopped early", "complete"}
    assert (curves[-2].epochs, curves[-2].values) == ([1, 2, 3, 4], [0.05, 0.10, 0.15, 0.20])
    names = [trace.name for trace in drawn.made["learning_curves"].data]
    assert names[-2:] == ["trial 0, default", "trial 1, winner"]


def test_rungs_count_who_came_and_who_went_on():
    params = {"learning_rate": 0.001, "hidden_size": 16}
    ends = [
        ([0.1], TrialState.PRUNED), ([0.1], TrialState.PRUNED), ([0.1], TrialState.FAIL),
        ([0.1, 0.2, 0.3], TrialState.PRUNED), ([0.1, 0.2, 0.3, 0.4], TrialState.COMPLETE),
    ]  # fmt: skip
    trials = [trial(number, values, params, state=state) for number, (values, state) in enumerate(ends)]
    found = rungs(summary_of(study_of(trials)).trials)
    assert [(r.epoch, r.reached, r.promoted, r.stopped, r.ended) for r in found] == [(1, 5, 2, 2, 1), (3, 2, 1, 1, 0)]


def test_by_session_length_the_winner_stands_beside_the_default(drawn):
    winner, default = drawn.made["by_length"].data
    assert (winner.name, default.name) == ("trial 1, winner", "trial 0, default")
    assert (winner.y, default.y) == ((0.31, 0.25), (0.22, 0.15))
    assert winner.error_y.array == pytest.approx((0.04, 0.0))  # no whisker over 8 sessions
    assert winner.error_y.arrayminus == pytest.approx((0.04, 0.0))
    assert winner.text[0] == "2 events: 0.3100 [0.2700, 0.3500], 400 targets of 400 sessions"
    assert winner.text[1] == "3 events: 0.2500, 16 targets of 8 sessions"


def test_by_session_length_a_default_that_wins_is_alone():
    alone = [replace(each, default=None) for each in FINALS.by_length]
    [line] = length_lines(replace(FINALS, winner=0, finalists=[finalist(0, 0.3, default=True)], by_length=alone))
    assert (line.name, line.group) == ("trial 0, the default configuration", "winner")


@pytest.mark.parametrize("finals", [None, replace(FINALS, by_length=())])
def test_without_finalists_and_in_older_summaries_there_is_nothing_by_session_length(study, summary, finals):
    drawn = figures(study, replace(summary, finals=finals))
    assert "by_length" in drawn.left_out
    assert static_figure("by_length", study, replace(summary, finals=finals)).made == {}


def test_parallel_coordinates_leave_out_a_default_outside_the_space(study):
    found = coordinates(judged(study), ["learning_rate", "hidden_size"], "Recall@10")
    assert 0 not in found.numbers
    assert [axis.name for axis in found.axes] == ["Recall@10", "learning_rate", "hidden_size"]
    values = [judged(study).trials[number].value for number in found.numbers]
    assert values == sorted(values)  # the best on top
    assert (found.ranks[0], found.ranks[-1]) == (0, 1)
    assert list(found.axes[2].ticks) == [(0.0, "16"), (1.0, "32")]
    for axis in found.axes:
        assert all(place is not None and 0 <= place <= 1 for place in axis.places)
        assert all(0 <= place <= 1 for place, _ in axis.ticks)


def test_a_parameter_that_a_trial_lacks_is_a_gap_in_its_line():
    study = study_of(ODD_STUDIES["parameters that never meet"])
    found = coordinates(judged(study), ["learning_rate", "hidden_size"], "Recall@10")
    rates = dict(zip(found.numbers, found.axes[1].places, strict=True))
    assert [number for number, place in rates.items() if place is None] == [0, 2, 4, 6]


def test_the_bluer_the_better(drawn):
    lines = drawn.made["parallel_coordinate"].data
    assert (lines[0].line.color, lines[-1].line.color) == (interactive.GREY, interactive.ACCENT)


def test_the_label_of_the_largest_bar_has_room(drawn):
    figure = drawn.made["importances"]
    assert figure.layout.xaxis.range[1] == pytest.approx(1.2 * max(figure.data[0].x))
    assert figure.data[0].cliponaxis is False


def test_logarithmic_axes_speak_plainly(drawn):
    axis = drawn.made["slice_learning_rate"].layout.xaxis
    assert {"0.001"} <= set(axis.ticktext) <= {"0.0001", "0.001", "0.01"}
    assert log_ticks(1e-4, 1e-2) == [1e-4, 1e-3, 1e-2]
    assert log_ticks(1.5e-3, 1.2e-2) == [2e-3, 5e-3, 1e-2]
    assert log_ticks(3e-3, 4e-3) == []
    assert linear_ticks(0.8, 1.0) == pytest.approx([0.8, 0.85, 0.9, 0.95, 1.0])


def test_few_trials_have_whole_numbers():
    few = study_of(search(4))
    assert figures(few, summary_of(few)).made["optimization_history"].layout.xaxis.dtick == 1


def test_slices_are_a_panel_each_four_in_a_row(pictures):
    content = pictures.made["slices"]
    height, width, _ = matplotlib.image.imread(io.BytesIO(content)).shape
    assert width > 1.5 * height  # two panels


def test_the_timeline_has_a_row_a_worker_and_a_bar_a_job(study, summary):
    pruned, failed = (next(t.number for t in summary.trials if t.state == state) for state in ("PRUNED", "FAIL"))
    jobs = [
        JobTimes(0, 100.0, is_first=True, reports=[(110.0, 5.0), (120.0, 5.0)], epochs=[1, 2]),
        JobTimes(pruned, 101.0, is_first=True, reports=[(105.0, 3.0)], epochs=[1]),
        JobTimes(failed, 106.0, is_first=True, given_up=107.0),
        JobTimes(99, 108.0, is_first=True, reports=[(109.0, 1.0)], epochs=[1]),  # the summary does not know it yet
    ]
    figure = figures(study, summary, jobs).made["timeline"]
    assert figure.layout.yaxis.categoryarray == ("worker 2", "worker 1")
    assert {trace.name: list(zip(trace.y, trace.text, trace.x, strict=True)) for trace in figure.data} == {
        "complete": [("worker 1", "trial 0, epochs 1–2: 20.0 s", 20_000.0)],
        "pruned": [("worker 2", f"trial {pruned}, epoch 1: 4.0 s", 4_000.0)],
        "failed": [("worker 2", f"trial {failed}, no epoch: 1.0 s", 1_000.0)],
        "running": [("worker 2", "trial 99, epoch 1: 1.0 s", 1_000.0)],
    }
    assert list(static_figure("timeline", study, summary, jobs).made) == ["timeline"]


def test_without_jobs_the_timeline_has_a_row_a_trial(study, drawn):
    figure = drawn.made["timeline"]
    assert figure.layout.meta == interactive.BY_TRIAL
    assert figure.layout.yaxis.categoryarray[-1] == "trial 0"
    assert len(figure.layout.yaxis.categoryarray) == len(study.trials)
