"""The figures of a study as PNG, for MLflow and for pull requests: Optuna's own, in matplotlib.

Plotly's own PNG needs a Chrome beside the search. What is drawn here mirrors `experiments.reporting.figures`, name by
name.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import optuna
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.visualization import matplotlib as visualization

from experiments.reporting.curves import GROUPS
from experiments.reporting.figures import ACCENT, AMBER, DEFAULT, GREY
from experiments.reporting.importances import evaluator
from experiments.reporting.material import Drawings, Material, draw_all
from experiments.summary import Summary

GROUP_STYLES: dict[str, dict[str, Any]] = {
    "stopped early": {"color": GREY, "linewidth": 0.6, "alpha": 0.5},
    "complete": {"color": GREY, "linewidth": 1.0},
    "default": {"color": DEFAULT, "linewidth": 2.0},
    "winner": {"color": ACCENT, "linewidth": 2.0},
}
_DPI = 120


def images(study: optuna.Study, summary: Summary) -> Drawings[bytes]:
    """Every figure that this study has something for, as the content of a PNG file.

    Args:
        study: in the database.
        summary: of it.
    """
    plt.switch_backend("agg")  # no window, and no display needed
    with plt.rc_context():  # Optuna sets a style for the whole process
        try:
            return draw_all({name: _as_png(draw) for name, draw in ARTISTS.items()}, Material(study, summary))
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
    return visualization.plot_optimization_history(material.with_values(), target_name=material.objective)


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
    params = material.varied(2)
    return visualization.plot_parallel_coordinate(material.judged, params=params, target_name=material.objective)


def _contour(material: Material) -> Axes:
    return _first(visualization.plot_contour(material.judged, params=material.pair(), target_name=material.objective))


def _slices(material: Material) -> Axes:
    params = material.varied()
    return _first(visualization.plot_slice(material.judged, params=params, target_name=material.objective))


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
    return visualization.plot_timeline(material.begun())


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
    "pareto_front": _pareto_front,
}
