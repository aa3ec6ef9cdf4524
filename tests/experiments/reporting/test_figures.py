"""Figures of a study: what they show, and that none of them ever fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState
from small_study import search, study_of, summary_of, trial

from experiments.reporting import figures as interactive
from experiments.reporting import images as still
from experiments.reporting.curves import learning_curves, rungs
from experiments.reporting.figures import figures
from experiments.reporting.images import images
from experiments.reporting.importances import importances
from experiments.reporting.material import Impossible, Material, draw_all
from experiments.reporting.views import bare, judged
from experiments.summary import Summary


@pytest.fixture(scope="module")
def study() -> optuna.Study:
    return study_of(search(14))


@pytest.fixture(scope="module")
def summary(study: optuna.Study) -> Summary:
    return summary_of(study)


def test_a_search_has_every_figure_but_a_front(study, summary):
    drawn = figures(study, summary)
    assert list(drawn.made) == [
        "optimization_history", "learning_curves", "importances", "parallel_coordinate", "contour", "rungs",
        "timeline", "slice_learning_rate", "slice_hidden_size",
    ]  # fmt: skip
    assert list(drawn.left_out) == ["pareto_front"]
    assert "two or three objectives" in drawn.left_out["pareto_front"]


def test_each_has_a_png(study, summary):
    drawn = images(study, summary)
    slices = {"slice_learning_rate", "slice_hidden_size"}
    assert set(drawn.made) == set(figures(study, summary).made) - slices | {"slices"}
    assert all(content.startswith(b"\x89PNG") for content in drawn.made.values())


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
    known = interactive.ARTISTS if draw is figures else still.ARTISTS
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


def test_what_was_stopped_early_counts_in_the_history(study, summary):
    shown = figures(study, summary).made["optimization_history"]
    points = next(trace for trace in shown.data if trace.mode == "markers")
    assert len(points.x) == len([t for t in study.trials if t.state is not TrialState.FAIL]) > summary.counts.complete


def test_judged_trials_keep_their_numbers_and_values(study, summary):
    view = judged(study)
    assert [t.value for t in view.trials] == [known.value for known in summary.trials]
    assert {t.state for t in view.trials} == {TrialState.COMPLETE, TrialState.FAIL}


def test_no_traceback_is_under_the_mouse(study, summary):
    assert not any(t.user_attrs for t in bare(study).trials)
    assert [t.state for t in bare(study).trials] == [t.state for t in study.trials]
    assert not any("/secret" in figure.to_json() for figure in figures(study, summary).made.values())


def test_importances_find_the_parameter_that_decides(study):
    shares = importances(judged(study))
    assert list(shares) == ["learning_rate", "hidden_size"]
    assert shares["learning_rate"] > 0.7
    assert sum(shares.values()) == pytest.approx(1)


def test_few_trials_have_no_importances():
    assert importances(judged(study_of(search(4)))) == {}


def test_the_winner_and_the_default_stand_out_among_the_curves(study, summary):
    curves = learning_curves(study, summary)
    assert [(curve.number, curve.group) for curve in curves[-2:]] == [(0, "default"), (1, "winner")]
    assert {curve.group for curve in curves[:-2]} == {"stopped early", "complete"}
    assert (curves[-2].epochs, curves[-2].values) == ([1, 2, 3, 4], [0.05, 0.10, 0.15, 0.20])
    names = [trace.name for trace in figures(study, summary).made["learning_curves"].data]
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
