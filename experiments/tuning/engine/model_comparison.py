"""Models side by side on the same test targets: how good each is, how sure that is, and where one gains.

Everything comes from the ranks of the test targets, which the finalists of a search keep. Validation chooses the
reference, so that test has no say in it, and every other model is compared with it in pairs: what is hard for both
cancels. With several comparisons one of them is bound to look different by chance; their intervals are therefore
simultaneous ones, of 1 - 0.05 / comparisons each (Bonferroni).

Q targets of the test split, M models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.tuning.engine.verdict import mean_values, spread
from experiments.tuning.study.summary import Spread
from experiments.tuning.worker.reports import FinalistRun
from narm.data.sessions import Examples
from narm.evaluation.bootstrap import CONFIDENCE, Interval, slice_intervals
from narm.evaluation.slices import session_length_slices
from narm.metrics import Values, key_of

RESAMPLES = 10_000  # so that the tails of simultaneous intervals hold some


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A model as its search left it.

    Attributes:
        model: its name.
        params: the options that the search chose.
        runs: the runs with these options, one a seed.
        trials: trials of the search.
        seconds: wall clock of all training, trials and finalists together.
    """

    model: str
    params: Mapping[str, Any]
    runs: Sequence[FinalistRun]
    trials: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthSlice:
    """Sessions of one class of lengths.

    Attributes:
        name: `2`, `6-10`.
        n_targets: their targets.
        values: mean of each metric, by `Recall@20`.
        ahead: lead of the reference there, by metric; None for the reference itself.
    """

    name: str
    n_targets: int
    values: Mapping[str, Interval]
    ahead: Mapping[str, Interval] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A model in the comparison.

    Attributes:
        model: its name.
        params: the options that its search chose.
        seeds: it was trained with.
        valid: the objective on validation, over the seeds.
        test: mean of each metric over the seeds, with a 95 % interval over sessions.
        spread: spread of each metric on test over the seeds.
        ahead: lead of the reference on test, with simultaneous intervals; None for the reference itself.
        by_length: the same by session length.
        trials: trials of its search.
        seconds: wall clock of all training.
    """

    model: str
    params: Mapping[str, Any]
    seeds: Sequence[int]
    valid: Spread
    test: Mapping[str, Interval]
    spread: Mapping[str, Spread]
    ahead: Mapping[str, Interval] | None
    by_length: Sequence[LengthSlice]
    trials: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelComparison:
    """Models, and how sure it is which is better.

    Attributes:
        dataset: its name.
        fingerprint: fingerprint of the data.
        objective: metric that chose options and reference, on validation.
        metrics: on test, the first one first.
        n_targets: test targets.
        n_sessions: test sessions.
        rows: models from the best on validation down; the first is the reference.
    """

    dataset: str
    fingerprint: str
    objective: str
    metrics: Sequence[str]
    n_targets: int
    n_sessions: int
    rows: Sequence[Row]

    @property
    def reference(self) -> Row:
        """The best on validation."""
        return self.rows[0]


def compare_models(
    contenders: Sequence[Contender],
    test: Examples,
    *,
    dataset: str,
    fingerprint: str,
    objective: str,
    metrics: Sequence[str],
    seed: int,
    resamples: int = RESAMPLES,
) -> ModelComparison:
    """Judge the models on the test targets.

    Args:
        contenders: the models, each with a run at least.
        test: the targets whose ranks the runs have.
        dataset: its name.
        fingerprint: fingerprint of the data.
        objective: spelled `MRR@20`; on validation it chooses the reference.
        metrics: metrics to compare on test, spelled alike.
        seed: seed of the bootstrap.
        resamples: resamples of the bootstrap.
    """
    key = key_of(objective)
    ranked = sorted(contenders, key=lambda one: -fmean(run.valid[key] for run in one.runs))
    judge = _Judge(
        [np.stack([mean_values(one.runs, metric) for metric in metrics]) for one in ranked],
        test,
        tuple(metrics),
        seed,
        resamples,
    )
    slices, overall, ahead = judge.slices(), judge.overall(), judge.ahead()
    rows = [
        Row(
            model=one.model,
            params=one.params,
            seeds=[run.seed for run in one.runs],
            valid=spread([run.valid[key] for run in one.runs]),
            test=overall[place],
            spread={
                metric: spread([float(mean_values([run], metric).mean()) for run in one.runs]) for metric in metrics
            },
            ahead=ahead[place],
            by_length=slices[place],
            trials=one.trials,
            seconds=one.seconds,
        )
        for place, one in enumerate(ranked)
    ]
    return ModelComparison(
        dataset=dataset,
        fingerprint=fingerprint,
        objective=objective,
        metrics=list(metrics),
        n_targets=len(test),
        n_sessions=len(np.unique(test.session_of_target)),
        rows=rows,
    )


@dataclass(frozen=True, slots=True)
class _Judge:
    """Bootstraps all models at once, from the same resamples.

    Attributes:
        values: for each model the metrics of each target, averaged over its seeds, [metrics, Q]; the reference first.
        test: the targets.
        metrics: which.
        seed: seed of the bootstrap.
        resamples: resamples of the bootstrap.
    """

    values: Sequence[Values]
    test: Examples
    metrics: tuple[str, ...]
    seed: int
    resamples: int

    def overall(self) -> list[dict[str, Interval]]:
        """Metrics of each model on all targets."""
        (found,) = self._intervals(self.values, [np.arange(len(self.test))], CONFIDENCE)
        return found

    def ahead(self) -> list[dict[str, Interval] | None]:
        """Lead of the reference over each other model, with intervals that hold together."""
        confidence = 1 - (1 - CONFIDENCE) / max(len(self.values) - 1, 1)
        (found,) = self._intervals(self._differences(), [np.arange(len(self.test))], confidence)
        return [None, *found[1:]]

    def slices(self) -> list[list[LengthSlice]]:
        """Metrics of each model, and the lead of the reference, by session length."""
        classes = session_length_slices(self.test)
        members = [of_one for _, of_one in classes]
        values = self._intervals(self.values, members, CONFIDENCE)
        ahead = self._intervals(self._differences(), members, CONFIDENCE)
        return [
            [
                LengthSlice(
                    name=name, n_targets=len(of_one), values=of_class[place], ahead=gaps[place] if place else None
                )
                for (name, of_one), of_class, gaps in zip(classes, values, ahead, strict=True)
            ]
            for place in range(len(self.values))
        ]

    def _differences(self) -> list[Values]:
        return [self.values[0] - of_one for of_one in self.values]

    def _intervals(
        self, values: Sequence[Values], slices: Sequence[NDArray[np.int64]], confidence: float
    ) -> list[list[dict[str, Interval]]]:
        """Intervals by metric, for each slice and model."""
        found = slice_intervals(
            np.concatenate(values),
            self.test.session_of_target,
            slices,
            confidence=confidence,
            resamples=self.resamples,
            seed=self.seed,
        )
        n = len(self.metrics)
        return [
            [dict(zip(self.metrics, of_slice[first : first + n], strict=True)) for first in range(0, len(of_slice), n)]
            for of_slice in found
        ]
