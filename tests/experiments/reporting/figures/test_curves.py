"""Learning curves, and the rungs at which they end."""

from __future__ import annotations

from optuna.trial import TrialState
from support.small_study import study_of, summary_of, trial

from experiments.reporting.figures.curves import learning_curves, rungs


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
