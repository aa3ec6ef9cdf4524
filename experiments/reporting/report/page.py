"""The report as one HTML page: the answer first, then why, then everything. It needs nothing from outside itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from experiments.reporting.figures.curves import rungs
from experiments.reporting.figures.importances import importances
from experiments.reporting.figures.interactive import BY_TRIAL, SLICE
from experiments.reporting.figures.material import Drawings
from experiments.reporting.figures.trial_views import judged
from experiments.reporting.report import answer, facts, race, shippable
from experiments.reporting.report.intervals import final_intervals, length_intervals
from experiments.tuning.engine.verdict import compared_metrics
from experiments.tuning.study.saved_study import SavedStudy
from experiments.tuning.study.summary import STATE_WORDS, Summary, TrialSummary, format_value
from narm.metrics import key_of

TEMPLATES = Path(__file__).parents[1] / "templates"
FAILURES_SHOWN = 20
RUNGS_SHOWN = 12  # schedulers that stop anywhere have as many rungs as epochs: the figure shows them

CAPTIONS = {
    "optimization_history": ("Optimization history", "Each trial's best value, in the order of their numbers, and the "
                             "best so far. Trials that were stopped early count with what they had reached."),
    "learning_curves": ("Learning curves", "The best validation value so far of every trial, epoch by epoch."),
    "importances": ("What decided", "Share of each parameter in what tells the best trials from all "
                    "(PED-ANOVA). Few trials tell little: read it as a hint."),
    "parallel_coordinate": ("Parallel coordinates", "A line a trial, the bluer the better: the colour goes by rank. "
                            "Axes stand in the order of what decided most, where that can be told."),
    "contour": ("Two parameters together", "The two that decided most, where that can be told. Dots are trials; values "
                "between them are interpolated."),
    "rungs": ("Rungs", "How many trials reached each epoch at which the scheduler stopped some, and what became of "
              "them."),
    "timeline": ("Timeline of the workers", "When each worker trained which trial: a bar from the start of a stretch "
                 "of training to its last report, in the colour of what became of the trial. The trials were assigned "
                 "to workers by their times."),
    BY_TRIAL: ("Timeline of the trials", "When each trial ran, from its start to its end, pauses included: the "
               "study's folder has no log of its jobs, jobs.jsonl."),
    "by_length": ("By session length", "The winner on test, and the default configuration where it is another, by "
                  "the number of events of the session: means over the seeds. Whiskers are 95 % intervals over "
                  "sessions, where there are ten or more; whether two models differ, they do not say."),
    "pareto_front": ("Pareto front", "Trials that no other beats in every objective, among all complete ones."),
}  # fmt: skip
"""Heading of each figure, and what a person who cannot see it should know."""


def study_page(saved: SavedStudy, drawn: Drawings[go.Figure]) -> str:
    """The report of a study, an HTML document.

    Args:
        saved: the study.
        drawn: its figures.
    """
    summary = saved.summary
    finals = summary.finals
    return render(
        "report.html",
        drawn.made,
        saved=saved,
        summary=summary,
        finals=finals,
        headline=answer.headline(summary),
        verdict=list(answer.verdict(summary)),
        flags=list(answer.bounds(summary)),
        failures=list(answer.failures(summary, FAILURES_SHOWN)),
        counts=answer.counts(summary),
        training_time=facts.training_time(summary),
        recommended=summary.recommended,
        shipped=facts.shipped_options(saved),
        metrics=compared_metrics(summary.objective),
        intervals=final_intervals(finals) if finals else [],
        mean_over_seeds=race.mean_over_seeds(finals) if finals else "",
        race_note=race.NOTE,
        turns=list(race.turns(finals)) if finals else [],
        shippable=list(shippable.shippable(finals, summary.objective)) if finals else [],
        shippable_title=shippable.title(finals) if finals else "",
        shippable_headings=shippable.headings(summary.objective),
        shippable_note=shippable.NOTE,
        shippable_notes=list(shippable.notes(finals)) if finals else [],
        by_length=length_intervals(finals, summary.objective) if finals else [],
        importances=importances(judged(saved.study)),
        rungs=shown if len(shown := rungs(summary.trials)) <= RUNGS_SHOWN else [],
        params=_param_names(summary),
        rows=[_row(trial, summary) for trial in answer.ranked(summary)],
        commands=facts.commands(saved),
        settings=facts.settings(saved),
        fixed=facts.fixed_options(saved),
        environment=facts.environment(saved),
        captions=_captions(drawn.made),
        slices=[name for name in drawn.made if name.startswith(SLICE)],
        left_out=drawn.left_out,
    )


def _captions(made: Mapping[str, go.Figure]) -> dict[str, tuple[str, str]]:
    """The caption of each figure; one that shows something else than usual names another in its layout."""
    others = {name: CAPTIONS[figure.layout.meta] for name, figure in made.items() if figure.layout.meta}
    return CAPTIONS | others


def render(template: str, figures: Mapping[str, go.Figure], **content: Any) -> str:
    """A page of this package, with figures in it.

    Args:
        template: file name among the templates.
        figures: by name.
        content: what the template asks for.
    """
    return (
        _environment()
        .get_template(template)
        .render(
            **content,
            figures={name: _embedded(figure) for name, figure in figures.items()},
            plotly_js=Markup(get_plotlyjs() if figures else ""),
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(value=_value, param=format_value, key=key_of)
    return environment


def _embedded(figure: go.Figure) -> Markup:
    """A figure as JSON inside a script element, which a `</script>` in a name must not end."""
    return Markup(figure.to_json().replace("<", "\\u003c"))


def _value(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.4f}"


def _param_names(summary: Summary) -> list[str]:
    return list(dict.fromkeys(name for trial in summary.trials for name in trial.params))


def _row(trial: TrialSummary, summary: Summary) -> dict[str, Any]:
    marks = [note for note in answer.notes(trial, summary) if note not in STATE_WORDS.values()]
    return {"trial": trial, "marks": marks, "state": STATE_WORDS[trial.state], "sort": _sort_key}


def _sort_key(value: object) -> str:
    """What a column is sorted by: numbers as numbers, what has several as its first."""
    if isinstance(value, (list, tuple)):
        return _sort_key(value[0]) if value else ""
    return str(value)
