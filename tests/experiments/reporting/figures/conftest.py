"""A study, and its figures as they were drawn once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import matplotlib.pyplot as plt
import optuna
import plotly.graph_objects as go
import pytest
from matplotlib.axes import Axes
from support.small_study import search, study_of, summary_of

from experiments.reporting.figures import static
from experiments.reporting.figures.interactive import figures
from experiments.reporting.figures.material import Drawings, Material, draw_all
from experiments.reporting.figures.static import images
from experiments.tuning.study.summary import Summary


@pytest.fixture(scope="session")
def study() -> optuna.Study:
    return study_of(search(14))


@pytest.fixture(scope="session")
def summary(study: optuna.Study) -> Summary:
    return summary_of(study)


@pytest.fixture(scope="session")
def drawn(study: optuna.Study, summary: Summary) -> Drawings[go.Figure]:
    return figures(study, summary)


@pytest.fixture(scope="session")
def pictures(study: optuna.Study, summary: Summary) -> Drawings[bytes]:
    return images(study, summary)


@pytest.fixture
def static_figure() -> Iterator[Callable[..., Drawings[Axes]]]:
    """Draws one figure of matplotlib's, without the PNG: that takes most of its time."""
    yield lambda name, *given: draw_all({name: static.ARTISTS[name]}, Material(*given))
    plt.close("all")
