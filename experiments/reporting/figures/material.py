"""Data for the figures, prepared once; a figure that cannot be drawn is left out with a reason."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Generic, TypeVar

import optuna
from optuna.trial import TrialState

from experiments.reporting.figures.by_length import LengthLine, length_lines
from experiments.reporting.figures.coordinates import Coordinates, coordinates
from experiments.reporting.figures.curves import Curve, Rung, learning_curves, rungs
from experiments.reporting.figures.importances import importances, varied
from experiments.reporting.figures.timeline import Stretch, stretches
from experiments.reporting.figures.trial_views import bare, inside, judged
from experiments.tuning.study.job_log import JobTimes
from experiments.tuning.study.summary import LengthSummary, Summary

Drawn = TypeVar("Drawn")


class Impossible(Exception):
    """The study has no data for a figure; the message says why."""


@dataclass(slots=True)
class Material:
    """A study, prepared for figures.

    Attributes:
        study: the study, as in the database.
        summary: its summary.
        jobs: jobs of its trials, in the order of their start; empty: the study has no log of them.
        judged: every trial with the best value it reached.
        bare: every trial as it is, without attributes.
        params: parameters that vary, the most important first.
    """

    study: optuna.Study
    summary: Summary
    jobs: Sequence[JobTimes] = ()
    judged: optuna.Study = field(init=False)
    bare: optuna.Study = field(init=False)
    params: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.judged = judged(self.study)
        self.bare = bare(self.study)
        self.params = varied(self.judged)

    @property
    def objective(self) -> str:
        """The metric, spelled `MRR@10`."""
        return self.summary.objective

    # Each of these raises Impossible where the study has too little of it.

    def with_values(self) -> optuna.Study:
        """The judged trials, of which two at least have a value."""
        n_values = len(self.judged.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
        if n_values < 2:
            raise Impossible(f"{n_values} of the trials have a value, 2 are needed")
        return self.judged

    def varied(self, at_least: int = 1) -> list[str]:
        """The parameters that vary, `at_least` so many."""
        self.with_values()
        if len(self.params) < at_least:
            raise Impossible(f"{len(self.params)} parameters took more than one value, {at_least} are needed")
        return self.params

    def pair(self) -> list[str]:
        """The two parameters that decide most, of those that vary in the same trials."""
        for pair in combinations(self.varied(2), 2):
            points = [
                [trial.params[name] for name in pair]
                for trial in self.judged.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
                if all(name in trial.params for name in pair)
            ]
            if points and all(len(set(values)) > 1 for values in zip(*points, strict=True)):
                return list(pair)
        raise Impossible("no two parameters vary in the same trials")

    def with_importances(self) -> optuna.Study:
        """The judged trials inside the space, if they are enough to rank parameters."""
        self.varied(2)
        if not importances(self.judged):
            raise Impossible("too few trials to tell parameters apart")
        return inside(self.judged)

    def curves(self) -> list[Curve]:
        """Learning curves, one of two epochs at least."""
        curves = learning_curves(self.study, self.summary)
        if not any(len(curve.epochs) > 1 for curve in curves):
            raise Impossible("no trial has two epochs")
        return curves

    def rungs(self) -> list[Rung]:
        """Where the scheduler stopped trials."""
        found = rungs(self.summary.trials)
        if not found:
            raise Impossible("the scheduler stopped no trial")
        return found

    def coordinates(self) -> Coordinates:
        """Parallel coordinates over two parameters at least."""
        params = self.varied(2)
        return coordinates(self.judged, params, self.objective)

    def lengths(self) -> tuple[Sequence[LengthSummary], list[LengthLine]]:
        """Classes of session lengths, and the finalists' results in them."""
        finals = self.summary.finals
        if finals is None:
            raise Impossible("there are no finalists, which alone are tested")
        if not finals.by_length:
            raise Impossible("the search is from a version that did not tell sessions apart")
        return finals.by_length, length_lines(finals)

    def stretches(self) -> list[Stretch]:
        """When what ran, one stretch at least."""
        found = stretches(self.bare, self.summary, self.jobs)
        if not found:
            raise Impossible("no trial has begun")
        return found

    def objectives(self) -> list[str]:
        """The objectives of a front that can be drawn."""
        names = list(self.summary.pareto[0].values) if self.summary.pareto else []
        if len(names) not in (2, 3):
            raise Impossible("a front needs two or three objectives, and a trial that is complete")
        return names


@dataclass(frozen=True, slots=True)
class Drawings(Generic[Drawn]):
    """Figures by name, and why the others are not there."""

    made: dict[str, Drawn] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def draw_all(artists: Mapping[str, Callable[[Material], Drawn]], material: Material) -> Drawings[Drawn]:
    """Draw what can be drawn; whatever goes wrong with a figure is the reason why it is left out."""
    drawings: Drawings[Drawn] = Drawings()
    for name, draw in artists.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about experimental functions and axes of no width
                drawings.made[name] = draw(material)
        except Impossible as reason:
            drawings.left_out[name] = str(reason)
        except Exception as error:  # a library's figure of a study that it did not expect must not end a search
            drawings.left_out[name] = f"{type(error).__name__}: {error}"
    return drawings
