"""The interactive figures of a study: Optuna's own, and what it has none of, in plotly."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import optuna
import plotly.graph_objects as go
from optuna import visualization

from experiments.reporting.curves import GROUPS, Curve
from experiments.reporting.importances import evaluator
from experiments.reporting.material import Drawings, Impossible, Material, draw_all
from experiments.summary import Summary

ACCENT, DEFAULT, GREY, AMBER, RED = "#2f7ed8", "#c2571a", "#8a8f98", "#d49a1f", "#c8433f"
"""Legible on white and on black."""

GROUP_STYLES: dict[str, dict[str, Any]] = {
    "stopped early": {"color": "rgba(138, 143, 152, 0.45)", "width": 1},
    "complete": {"color": "rgba(138, 143, 152, 0.9)", "width": 1.5},
    "default": {"color": DEFAULT, "width": 2.5},
    "winner": {"color": ACCENT, "width": 2.5},
}
STATE_COLORS = {"COMPLETE": ACCENT, "PRUNED": AMBER, "FAIL": RED, "RUNNING": "#4a9c5d", "WAITING": GREY}

SLICE = "slice_"
_GRID = "rgba(138, 143, 152, 0.22)"
_STYLE = go.layout.Template(
    layout={
        "colorway": [ACCENT, DEFAULT, "#4a9c5d", AMBER, "#8e6bbf", GREY],
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": GREY},
        "xaxis": {"gridcolor": _GRID, "zeroline": False, "automargin": True},
        "yaxis": {"gridcolor": _GRID, "zeroline": False, "automargin": True},
    }
)


def figures(study: optuna.Study, summary: Summary) -> Drawings[go.Figure]:
    """Every figure that this study has something for; slices are named after their parameter.

    Args:
        study: in the database.
        summary: of it.
    """
    material = Material(study, summary)
    slices = {f"{SLICE}{name}": partial(_slice, name) for name in material.params}
    return draw_all({**ARTISTS, **slices}, material)


def overlaid_histories(studies: list[optuna.Study], objective: str) -> go.Figure:
    """The optimization histories of several studies in one figure.

    Args:
        studies: of `experiments.reporting.views.judged`.
        objective: what they have in common.
    """
    return _finish(visualization.plot_optimization_history(studies, target_name=objective))


def _optimization_history(material: Material) -> go.Figure:
    return _finish(visualization.plot_optimization_history(material.with_values(), target_name=material.objective))


def _learning_curves(material: Material) -> go.Figure:
    curves = material.curves()
    traces = [
        _curves_trace(group, [curve for curve in curves if curve.group == group])
        for group in GROUPS
        if any(curve.group == group for curve in curves)
    ]
    figure = go.Figure(traces)
    last = max(epoch for curve in curves for epoch in curve.epochs)
    figure.update_xaxes(title_text="epoch", tick0=0, dtick=max(1, round(last / 10)))
    figure.update_yaxes(title_text=f"best validation {material.objective} so far")
    return _finish(figure)


def _curves_trace(group: str, curves: list[Curve]) -> go.Scatter:
    """All curves of a group as one trace with gaps: a trace each would take seconds to draw, and fill the legend."""
    epochs = [epoch for curve in curves for epoch in (*curve.epochs, None)]
    values = [value for curve in curves for value in (*curve.values, None)]
    numbers = [curve.number for curve in curves for _ in range(len(curve.epochs) + 1)]
    name = f"trial {curves[0].number}, {group}" if group in ("winner", "default") else f"{group} ({len(curves)})"
    return go.Scatter(
        x=epochs,
        y=values,
        customdata=numbers,
        name=name,
        mode="lines+markers",  # a trial of one epoch is a dot
        line=GROUP_STYLES[group],
        marker={"size": 4},
        hovertemplate="trial %{customdata}, epoch %{x}: %{y:.4f}<extra></extra>",
    )


def _importances(material: Material) -> go.Figure:
    within = material.with_importances()
    figure = visualization.plot_param_importances(within, evaluator=evaluator(within))
    figure.update_traces(marker_color=ACCENT)
    figure.update_xaxes(title_text="share of the importance")
    figure.update_yaxes(title_text=None)
    return _finish(figure)


def _parallel_coordinate(material: Material) -> go.Figure:
    params = material.varied(2)
    figure = visualization.plot_parallel_coordinate(material.judged, params=params, target_name=material.objective)
    return _finish(figure, height=460)


def _contour(material: Material) -> go.Figure:
    """The two parameters that decide most: a matrix of all pairs is too small to read."""
    return _finish(visualization.plot_contour(material.judged, params=material.pair(), target_name=material.objective))


def _slice(param: str, material: Material) -> go.Figure:
    figure = visualization.plot_slice(material.judged, params=[param], target_name=material.objective)
    for trace in figure.data:  # Optuna colours by trial, with a scale; the number is enough
        trace.update(
            customdata=trace.marker.color,
            hovertemplate="trial %{customdata}, %{x}: %{y:.4f}<extra></extra>",
            marker={"showscale": False, "color": ACCENT, "opacity": 0.75, "size": 7},
        )
    return _finish(figure, height=260)


def _rungs(material: Material) -> go.Figure:
    stopped_at = material.rungs()
    epochs = [f"{rung.epoch}" for rung in stopped_at]
    bars = {
        "went on": ([rung.promoted for rung in stopped_at], ACCENT),
        "stopped by the scheduler": ([rung.stopped for rung in stopped_at], AMBER),
        "ended otherwise": ([rung.ended for rung in stopped_at], GREY),
    }
    figure = go.Figure(
        [go.Bar(name=name, x=epochs, y=counts, marker_color=color) for name, (counts, color) in bars.items()]
    )
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title_text="epoch", type="category")
    figure.update_yaxes(title_text="trials that reached it")
    return _finish(figure)


def _timeline(material: Material) -> go.Figure:
    figure = visualization.plot_timeline(material.begun())
    for trace in figure.data:
        trace.update(marker_color=STATE_COLORS.get(trace.name), name=trace.name.lower())
    figure.update_xaxes(title_text=None)
    return _finish(figure)


def _pareto_front(material: Material) -> go.Figure:
    return _finish(visualization.plot_pareto_front(material.bare, target_names=material.objectives()))


def _finish(figure: go.Figure, *, height: int = 360) -> go.Figure:
    """The look of the page: headings are the page's, text takes the page's colour."""
    if not figure.data:
        raise Impossible("there is nothing to draw")
    figure.update_layout(
        template=_STYLE,
        title=None,
        height=height,
        width=None,
        plot_bgcolor="rgba(0, 0, 0, 0)",
        margin={"l": 8, "r": 8, "t": 24, "b": 8},
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
    )
    return figure


ARTISTS: dict[str, Callable[[Material], go.Figure]] = {
    "optimization_history": _optimization_history,
    "learning_curves": _learning_curves,
    "importances": _importances,
    "parallel_coordinate": _parallel_coordinate,
    "contour": _contour,
    "rungs": _rungs,
    "timeline": _timeline,
    "pareto_front": _pareto_front,
}
