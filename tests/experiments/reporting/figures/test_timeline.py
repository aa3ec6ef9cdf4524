"""The timeline: a row a worker, or a row a trial."""

from __future__ import annotations

from experiments.reporting.figures import interactive
from experiments.reporting.figures.interactive import figures
from experiments.tuning.study.job_log import JobTimes


def test_the_timeline_has_a_row_a_worker_and_a_bar_a_job(study, summary, static_figure):
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
