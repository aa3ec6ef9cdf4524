"""Two searches side by side, as one HTML page."""

from __future__ import annotations

from experiments.reporting.figures.interactive import overlaid_histories
from experiments.reporting.figures.trial_views import judged
from experiments.reporting.report.intervals import intervals
from experiments.reporting.report.page import render
from experiments.reporting.study_comparison.comparison import StudyComparison


def comparison_page(compared: StudyComparison) -> str:
    """The comparison, an HTML document that needs nothing from outside itself."""
    studies = [compared.first, compared.second]
    objective = compared.first.summary.objective
    same_objective = objective == compared.second.summary.objective
    history = {"history": overlaid_histories([judged(study.study) for study in studies], objective)}
    return render(
        "comparison.html",
        history if same_objective else {},
        compared=compared,
        intervals=list(intervals(compared.winners, lambda _: "the other winner")),
    )
