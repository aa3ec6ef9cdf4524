"""The figures of a study as PNG, for MLflow and for pull requests: Optuna's own, in matplotlib.

Plotly's own PNG needs a Chrome beside the search. The figures have the names of those of
`experiments.reporting.figures.interactive`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
import optuna
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.distributions import CategoricalDistribution
from optuna.visualization import matplotlib as visualization

from experiments.reporting.figures.by_length import half_widths
from experiments.reporting.figures.curves import GROUPS
from experiments.reporting.figures.importances import evaluator
from experiments.reporting.figures.interactive import ACCENT, AMBER, DEFAULT, GREY, STATE_COLORS, blend
from experiments.reporting.figures.material import Drawings, Material, draw_all
from experiments.reporting.figures.timeline import by_state, rows
from experiments.reporting.figures.trial_views import inside
from experiments.tuning.study.job_log import JobTimes
from experiments.tuning.study.summary import Summary, format_value

GROUP_STYLES: dict[str, dict[str, Any]] = {
    "stopped early": {"color": GREY, "linewidth": 0.6, "alpha": 0.5},
    "complete": {"color": GREY, "linewidth": 1.0},
    "default": {"color": DEFAULT, "linewidth": 2.0},
    "winner": {"color": ACCENT, "linewidth": 2.0},
}
_DPI = 120
_PANELS_A_ROW = 4
_ROWS_NAMED = 30  # more names would cover each other
_HALO = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}


def images(study: optuna.Study, summary: Summary, jobs: Sequence[JobTimes] = ()) -> Drawings[bytes]:
    """Every figure that this study has something for, as the content of a PNG file.

    Args:
        study: the study, as in the database.
        summary: its summary.
        jobs: jobs of its trials, in the order of their start; empty: the study has no log of them.
    """
    plt.switch_backend("agg")  # no window, and no display needed
    with plt.rc_context():  # Optuna sets a style for the whole process
        try:
            return draw_all({name: _as_png(draw) for name, draw in ARTISTS.items()}, Material(study, summary, jobs))
        finally:
            plt.close("all")


def _as_png(draw: Callable[[Material], Axes]) -> Callable[[Material], bytes]:
    def png(material: Material) -> bytes:
        figure = draw(material).get_figure(root=True)
        assert isinstance(figure, Figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=_DPI, bbox_inches="tight")
        plt.close(figure)
        return buffer.getvalue()

    return png


def _optimization_history(material: Material) -> Axes:
    axes = visualization.plot_optimization_history(material.with_values(), target_name=material.objective)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return axes


def _learning_curves(material: Material) -> Axes:
    curves = material.curves()
    _, axes = plt.subplots()
    for group in GROUPS:
        label: str | None = group
        for curve in (curve for curve in curves if curve.group == group):
            axes.plot(curve.epochs, curve.values, marker=".", label=label, **GROUP_STYLES[group])
            label = None  # once a group
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(title="Learning curves", xlabel="epoch", ylabel=f"best validation {material.objective} so far")
    axes.legend()
    return axes


def _importances(material: Material) -> Axes:
    within = material.with_importances()
    return visualization.plot_param_importances(within, evaluator=evaluator(within))


def _parallel_coordinate(material: Material) -> Axes:
    found = material.coordinates()
    _, axes = plt.subplots(figsize=(1.6 * len(found.axes), 4.8))
    for line, rank in enumerate(found.ranks):
        places = [axis.places[line] for axis in found.axes]
        axes.plot(range(len(found.axes)), np.array(places, dtype=float), color=blend(rank), linewidth=1.2)
    for x, axis in enumerate(found.axes):
        axes.axvline(x, color="black", linewidth=0.8)
        for place, text in axis.ticks:
            axes.annotate(
                text, (x, place), (-4, 0), textcoords="offset points", ha="right", va="center", fontsize=8, bbox=_HALO
            )
    axes.set_xticks(range(len(found.axes)), [axis.name for axis in found.axes], fontsize=9)
    axes.set_yticks([])
    axes.set_facecolor("white")
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    return axes


def _contour(material: Material) -> Axes:
    return _first(visualization.plot_contour(material.judged, params=material.pair(), target_name=material.objective))


def _slices(material: Material) -> Axes:
    """What the page draws, a panel a parameter."""
    params = material.varied()
    columns = min(_PANELS_A_ROW, len(params))
    n_rows = -(-len(params) // columns)
    _, grid = plt.subplots(
        n_rows, columns, figsize=(3.6 * columns, 3 * n_rows), sharey=True, squeeze=False, layout="constrained"
    )
    for name, axes in zip(params, grid.flat, strict=False):
        _slice(name, axes, material)
    for axes in grid.flat[len(params) :]:
        axes.remove()
    for axes in grid[:, 0]:
        axes.set_ylabel(material.objective)
    return _first(grid)


def _slice(name: str, axes: Axes, material: Material) -> None:
    """One colour: which trial it was says little."""
    trials = [trial for trial in inside(material.judged).get_trials(deepcopy=False) if name in trial.params]
    distribution, values = trials[0].distributions[name], [trial.params[name] for trial in trials]
    if isinstance(distribution, CategoricalDistribution):
        choices = distribution.choices
        axes.set_xticks(range(len(choices)), [format_value(choice) for choice in choices])
        axes.set_xlim(-0.5, len(choices) - 0.5)
        values = [choices.index(value) for value in values]
    elif getattr(distribution, "log", False):
        axes.set_xscale("log")
    axes.scatter(values, np.array([trial.value for trial in trials], dtype=float), s=18, color=ACCENT, alpha=0.75)
    axes.set_xlabel(name)


def _rungs(material: Material) -> Axes:
    stopped_at = material.rungs()
    _, axes = plt.subplots()
    epochs, below = [f"{rung.epoch}" for rung in stopped_at], np.zeros(len(stopped_at))
    for name, counts, color in (
        ("went on", [rung.promoted for rung in stopped_at], ACCENT),
        ("stopped by the scheduler", [rung.stopped for rung in stopped_at], AMBER),
        ("ended otherwise", [rung.ended for rung in stopped_at], GREY),
    ):
        axes.bar(epochs, counts, bottom=below, label=name, color=color)
        below += counts
    axes.set(title="Rungs", xlabel="epoch", ylabel="trials that reached it")
    axes.legend()
    return axes


def _timeline(material: Material) -> Axes:
    found = material.stretches()
    names = rows(found)
    _, axes = plt.subplots(figsize=(8, max(1.6, min(0.9 + 0.24 * len(names), 8))))
    for state, bars in by_state(found).items():
        axes.barh(
            [names.index(bar.row) for bar in bars],
            [_days(bar.end) - _days(bar.start) for bar in bars],
            left=[_days(bar.start) for bar in bars],
            height=0.75, label=state, color=STATE_COLORS[state], edgecolor="white", linewidth=0.4,
        )  # fmt: skip
    axes.xaxis_date()
    short = mdates.ConciseDateFormatter(axes.xaxis.get_major_locator())  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(short)
    step = -(-len(names) // _ROWS_NAMED)
    axes.set_yticks(range(0, len(names), step), names[::step])
    axes.invert_yaxis()  # the first on top
    axes.set(title="Timeline")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return axes


def _days(moment: datetime) -> float:
    """As matplotlib counts them."""
    return (moment - datetime(1970, 1, 1)) / timedelta(days=1)


def _by_length(material: Material) -> Axes:
    classes, lines = material.lengths()
    _, axes = plt.subplots()
    for place, line in enumerate(lines):
        shift = 0.08 * (place - (len(lines) - 1) / 2)
        axes.errorbar(
            [number + shift for number in range(len(classes))],
            [each.mean for each in line.estimates],
            yerr=np.array(half_widths(line.estimates)),
            marker="o", markersize=4, capsize=3, label=line.name, color=GROUP_STYLES[line.group]["color"],
        )  # fmt: skip
    axes.set_xticks(range(len(classes)), [each.name for each in classes])
    axes.set_ylim(bottom=0)
    axes.set(title="By session length", xlabel="events of the session", ylabel=f"test {material.objective}")
    axes.legend()
    return axes


def _pareto_front(material: Material) -> Axes:
    return visualization.plot_pareto_front(material.bare, target_names=material.objectives())


def _first(axes: Axes | np.ndarray[Any, Any]) -> Axes:
    """Of figures that have several axes: one leads to all."""
    first = axes if isinstance(axes, Axes) else axes.flat[0]
    assert isinstance(first, Axes)
    return first


ARTISTS: dict[str, Callable[[Material], Axes]] = {
    "optimization_history": _optimization_history,
    "learning_curves": _learning_curves,
    "importances": _importances,
    "parallel_coordinate": _parallel_coordinate,
    "contour": _contour,
    "slices": _slices,
    "rungs": _rungs,
    "timeline": _timeline,
    "by_length": _by_length,
    "pareto_front": _pareto_front,
}
