"""Models side by side on the same test targets: how good each is, how sure that is, and where one gains.

Everything comes from the ranks of the test targets, which the finalists of a search keep. Validation chooses the
reference, so that test has no say in it, and every other model is compared with it in pairs: what is hard for both
cancels. With several comparisons one of them is bound to look different by chance; their intervals are therefore
simultaneous ones, of 1 - 0.05 / comparisons each (Bonferroni), and hold other sessions and other seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.tuning.engine.leads import Trained, leads, mean_values
from experiments.tuning.engine.verdict import spread
from experiments.tuning.study.summary import Spread
from experiments.tuning.worker.reports import FinalistRun
from narm.data.sessions import Examples
from narm.evaluation.bootstrap import Interval, slice_intervals
from narm.evaluation.paired_difference import Difference, simultaneous
from narm.evaluation.slices import MIN_SESSIONS, session_length_slices
from narm.metrics import key_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A model as its search left it.

    Attributes:
        model: its name.
        params: the options that the search chose.
        runs: the runs with these options, one a seed.
        trials: trials of the search.
        seconds: wall clock of all training, trials and finalists together.
        depends_on_seed: whether another seed would give another model.
    """

    model: str
    params: Mapping[str, Any]
    runs: Sequence[FinalistRun]
    trials: int
    seconds: float
    depends_on_seed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthSlice:
    """Sessions of one class of lengths.

    Attributes:
        name: `2`, `6-10`.
        n_targets: their targets.
        values: mean of each metric, by `Recall@20`.
        ahead: lead of the reference there, by metric, with intervals that hold together over all models and classes;
            None for the reference itself, and where there are too few sessions.
    """

    name: str
    n_targets: int
    values: Mapping[str, Interval]
    ahead: Mapping[str, Difference] | None


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
        ahead: lead of the reference on test, with intervals that hold together over all models; None for the
            reference itself.
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
    ahead: Mapping[str, Difference] | None
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
    """
    key = key_of(objective)
    ranked = sorted(contenders, key=lambda one: -fmean(run.valid[key] for run in one.runs))
    judge = _Judge([Trained(one.runs, one.depends_on_seed) for one in ranked], test, tuple(metrics), seed)
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
    """Judges all models, on the whole and by session length.

    Attributes:
        models: runs of each model, the reference first.
        test: the targets.
        metrics: which.
        seed: seed of the bootstrap.
    """

    models: Sequence[Trained]
    test: Examples
    metrics: tuple[str, ...]
    seed: int

    def overall(self) -> list[dict[str, Interval]]:
        """Metrics of each model on all targets, over sessions."""
        (found,) = self._means([np.arange(len(self.test))])
        return found

    def ahead(self) -> list[dict[str, Difference] | None]:
        """Lead of the reference over each other model, with intervals that hold together."""
        return [None, *self._leads(None, simultaneous(len(self.models) - 1))]

    def slices(self) -> list[list[LengthSlice]]:
        """Metrics of each model, and the lead of the reference, by session length."""
        classes = session_length_slices(self.test)
        trusted = [len(np.unique(self.test.session_of_target[members])) >= MIN_SESSIONS for _, members in classes]
        confidence = simultaneous(sum(trusted) * (len(self.models) - 1))
        untold: list[dict[str, Difference] | None] = [None] * len(self.models)
        values = self._means([members for _, members in classes])
        ahead = [
            [None, *self._leads(members, confidence)] if is_trusted else untold
            for (_, members), is_trusted in zip(classes, trusted, strict=True)
        ]
        return [
            [
                LengthSlice(name=name, n_targets=len(members), values=of_class[place], ahead=gaps[place])
                for (name, members), of_class, gaps in zip(classes, values, ahead, strict=True)
            ]
            for place in range(len(self.models))
        ]

    def _means(self, slices: Sequence[NDArray[np.int64]]) -> list[list[dict[str, Interval]]]:
        """Metrics of each model, in each slice."""
        values = np.stack([mean_values(each.runs, metric) for each in self.models for metric in self.metrics])
        found = slice_intervals(values, self.test.session_of_target, slices, seed=self.seed)
        n = len(self.metrics)
        return [
            [dict(zip(self.metrics, of_slice[first : first + n], strict=True)) for first in range(0, len(of_slice), n)]
            for of_slice in found
        ]

    def _leads(self, members: NDArray[np.int64] | None, confidence: float) -> list[dict[str, Difference]]:
        """Lead of the reference over each other model, by metric."""
        sessions = self.test.session_of_target
        by_metric = [leads(self.models, metric, sessions, members, confidence=confidence) for metric in self.metrics]
        return [dict(zip(self.metrics, of_model, strict=True)) for of_model in zip(*by_metric, strict=True)]
