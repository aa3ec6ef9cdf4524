"""The interactive figures of a study: Optuna's own, and what it has none of, in plotly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import optuna
import plotly.graph_objects as go
from optuna import visualization

from experiments.reporting.figures.by_length import LengthLine, estimate_text, half_widths
from experiments.reporting.figures.coordinates import Coordinates
from experiments.reporting.figures.curves import GROUPS, Curve
from experiments.reporting.figures.importances import evaluator
from experiments.reporting.figures.material import Drawings, Impossible, Material, draw_all
from experiments.reporting.figures.ticks import log_ticks
from experiments.reporting.figures.timeline import Stretch, by_state, rows
from experiments.tuning.study.job_log import JobTimes
from experiments.tuning.study.summary import Estimate, LengthSummary, Summary

ACCENT, DEFAULT, GREY, AMBER, RED = "#2f7ed8", "#c2571a", "#8a8f98", "#d49a1f", "#c8433f"
"""Legible on white and on black."""

GROUP_STYLES: dict[str, dict[str, Any]] = {
    "stopped early": {"color": "rgba(138, 143, 152, 0.45)", "width": 1},
    "complete": {"color": "rgba(138, 143, 152, 0.9)", "width": 1.5},
    "default": {"color": DEFAULT, "width": 2.5},
    "winner": {"color": ACCENT, "width": 2.5},
}
STATE_COLORS = {
    "complete": ACCENT,
    "pruned": AMBER,
    "failed": RED,
    "running": "#4a9c5d",
    "interrupted": GREY,
    "infeasible": GREY,
}
BY_TRIAL = "timeline_by_trial"
"""The caption of a timeline without jobs."""

SLICE = "slice_"
_GRID = "rgba(138, 143, 152, 0.22)"
_AXIS = {
    "gridcolor": _GRID,
    "zeroline": False,
    "automargin": True,
    "exponentformat": "power",  # plotly would say 100µ
    "title": {"standoff": 10},
}
_FEW_TRIALS = 10  # plotly puts ticks between the numbers of fewer
_AIR = 1.2  # factor by which a logarithmic axis goes beyond its values at either end, about
_SHADES = 12  # of the lines of parallel coordinates: a trace each
_STYLE = go.layout.Template(
    layout={
        "colorway": [ACCENT, DEFAULT, "#4a9c5d", AMBER, "#8e6bbf", GREY],
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": GREY},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
    }
)


def figures(study: optuna.Study, summary: Summary, jobs: Sequence[JobTimes] = ()) -> Drawings[go.Figure]:
    """Every figure that this study has something for; slices are named after their parameter.

    Args:
        study: the study, as in the database.
        summary: its summary.
        jobs: jobs of its trials, in the order of their start; empty: the study has no log of them.
    """
    material = Material(study, summary, jobs)
    slices = {f"{SLICE}{name}": partial(_slice, name) for name in material.params}
    return draw_all({**ARTISTS, **slices}, material)


def overlaid_histories(studies: list[optuna.Study], objective: str) -> go.Figure:
    """The optimization histories of several studies in one figure.

    Args:
        studies: of `experiments.reporting.figures.trial_views.judged`.
        objective: what they have in common.
    """
    return _history(visualization.plot_optimization_history(studies, target_name=objective))


def _optimization_history(material: Material) -> go.Figure:
    return _history(visualization.plot_optimization_history(material.with_values(), target_name=material.objective))


def _history(figure: go.Figure) -> go.Figure:
    last = max((max(trace.x) for trace in figure.data if trace.x is not None and len(trace.x)), default=0)
    if last < _FEW_TRIALS:
        figure.update_xaxes(tick0=0, dtick=1)  # there is no trial 0.5
    return _finish(figure)


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
    figure.update_traces(marker_color=ACCENT, cliponaxis=False)
    largest = max(value for trace in figure.data for value in trace.x)
    figure.update_xaxes(title_text="share of the importance", range=[0, 1.2 * largest])  # its label needs some room
    figure.update_yaxes(title_text=None, ticksuffix=" ")
    return _finish(figure)


def _parallel_coordinate(material: Material) -> go.Figure:
    found = material.coordinates()
    lines = np.arange(len(found.numbers))
    shades: list[list[int]] = [shade.tolist() for shade in np.array_split(lines, min(_SHADES, len(lines)))]
    figure = go.Figure(
        [_lines_trace(found, shade, color=blend(place / (len(shades) - 1))) for place, shade in enumerate(shades)]
    )
    for x, axis in enumerate(found.axes):
        figure.add_shape(type="line", x0=x, x1=x, y0=0, y1=1, line={"color": GREY, "width": 1}, layer="below")
        for place, text in axis.ticks:
            figure.add_annotation(x=x, y=place, text=text, showarrow=False, xanchor="right", xshift=-5, font_size=11)
    names = [axis.name for axis in found.axes]
    figure.update_xaxes(tickvals=list(range(len(names))), ticktext=names, side="top", showgrid=False)
    figure.update_xaxes(range=[-0.3, len(names) - 0.7], fixedrange=True)
    figure.update_yaxes(visible=False, range=[-0.04, 1.04], fixedrange=True)
    figure.update_layout(showlegend=False, hovermode="closest")
    finished = _finish(figure, height=460)
    return finished.update_layout(margin={"l": 64, "r": 24})


def _lines_trace(found: Coordinates, lines: Sequence[int], *, color: str) -> go.Scatter:
    """Some of the lines as one trace with gaps."""
    places = [place for line in lines for place in (*(axis.places[line] for axis in found.axes), None)]
    texts = [
        text
        for line in lines
        for text in (*(f"trial {found.numbers[line]}, {axis.name} {axis.texts[line]}" for axis in found.axes), "")
    ]
    return go.Scatter(
        x=[*range(len(found.axes)), None] * len(lines),
        y=places,
        text=texts,
        mode="lines",
        line={"color": color, "width": 1.2},
        hovertemplate="%{text}<extra></extra>",
    )


def blend(share: float) -> str:
    """From grey, at 0, to the accent: a line is seen on white and on black, whatever its share."""
    ends = [[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in (GREY, ACCENT)]
    red, green, blue = (round(first + share * (last - first)) for first, last in zip(*ends, strict=True))
    return f"#{red:02x}{green:02x}{blue:02x}"


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
    found = material.stretches()
    names = rows(found)
    figure = go.Figure([_bars_trace(state, bars) for state, bars in by_state(found).items()])
    figure.update_layout(barmode="overlay", bargap=0.25, meta=None if material.jobs else BY_TRIAL)
    figure.update_xaxes(type="date")
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=names[::-1])  # the first on top
    return _finish(figure, height=max(200, min(120 + 26 * len(names), 700)))


def _bars_trace(state: str, bars: Sequence[Stretch]) -> go.Bar:
    return go.Bar(
        name=state,
        orientation="h",
        y=[bar.row for bar in bars],
        base=[bar.start for bar in bars],
        x=[1000 * (bar.end - bar.start).total_seconds() for bar in bars],
        text=[f"{bar.what}: {(bar.end - bar.start).total_seconds():.1f} s" for bar in bars],
        textposition="none",
        marker={"color": STATE_COLORS[state], "line": {"width": 0.5, "color": "rgba(255, 255, 255, 0.7)"}},
        hovertemplate=f"%{{text}}, {state}<extra></extra>",
    )


def _by_length(material: Material) -> go.Figure:
    classes, lines = material.lengths()
    shift = {line.group: 0.08 * (place - (len(lines) - 1) / 2) for place, line in enumerate(lines)}
    figure = go.Figure([_length_trace(line, classes, shift[line.group]) for line in lines])
    names = [each.name for each in classes]
    figure.update_xaxes(title_text="events of the session", tickvals=list(range(len(names))), ticktext=names)
    figure.update_yaxes(title_text=f"test {material.objective}", rangemode="tozero")
    return _finish(figure)


def _length_trace(line: LengthLine, classes: Sequence[LengthSummary], shift: float) -> go.Scatter:
    """Dots with whiskers, a little aside so that those of two lines do not cover each other."""
    below, above = half_widths(line.estimates)
    return go.Scatter(
        x=[place + shift for place in range(len(classes))],
        y=[each.mean for each in line.estimates],
        error_y={"type": "data", "array": above, "arrayminus": below, "thickness": 1.5, "width": 4},
        text=[_length_text(each, estimate) for each, estimate in zip(classes, line.estimates, strict=True)],
        name=line.name,
        mode="lines+markers",
        line={"color": GROUP_STYLES[line.group]["color"], "width": 1.5},
        marker={"size": 7},
        hovertemplate="%{text}<extra></extra>",
    )


def _length_text(each: LengthSummary, estimate: Estimate) -> str:
    counts = f"{each.n_targets:,} targets of {each.n_sessions:,} sessions"
    return f"{each.name} events: {estimate_text(estimate)}, {counts}"


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
    figure.for_each_xaxis(lambda axis: _name_ticks(axis, _extent(figure, "x")))
    figure.for_each_yaxis(lambda axis: _name_ticks(axis, _extent(figure, "y")))
    return figure


def _extent(figure: go.Figure, side: str) -> list[float]:
    """The values of all traces along an axis, as far as they are numbers."""
    return [
        float(value)
        for trace in figure.data
        for value in (() if trace[side] is None else trace[side])
        if isinstance(value, (int, float, np.number)) and value > 0
    ]


def _name_ticks(axis: Any, values: list[float]) -> None:
    """Give a logarithmic axis ticks that can be read: powers of ten, or values in full where it has hardly any."""
    if axis.type != "log" or not values:
        return
    ticks = log_ticks(min(values) / _AIR, max(values) * _AIR)
    if len(ticks) > 1:
        axis.update(tickmode="array", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])


ARTISTS: dict[str, Callable[[Material], go.Figure]] = {
    "optimization_history": _optimization_history,
    "learning_curves": _learning_curves,
    "importances": _importances,
    "parallel_coordinate": _parallel_coordinate,
    "contour": _contour,
    "rungs": _rungs,
    "timeline": _timeline,
    "by_length": _by_length,
    "pareto_front": _pareto_front,
}
