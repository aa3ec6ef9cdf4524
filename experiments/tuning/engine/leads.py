"""How far one configuration is ahead of others on the same test targets, from the runs that both have.

Q targets of the test split, S seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.tuning.worker.reports import FinalistRun
from narm.evaluation.bootstrap import CONFIDENCE
from narm.evaluation.paired_difference import Configuration, Difference, difference, run_moments, seed_noise
from narm.metrics import METRICS, Ranks, Values, parse_metric

Runs = Sequence[FinalistRun]


@dataclass(frozen=True, slots=True)
class Trained:
    """A configuration as it was trained.

    Attributes:
        runs: one for each seed.
        depends_on_seed: whether another seed would give another model.
    """

    runs: Runs
    depends_on_seed: bool = True


def leads(
    configurations: Sequence[Trained],
    metric: str,
    sessions: NDArray[np.int64],
    members: NDArray[np.int64] | None = None,
    *,
    confidence: float = CONFIDENCE,
) -> list[Difference]:
    """The first configuration less each of the others; what seeds do is pooled over all of them.

    Args:
        configurations: with the ranks of the same targets.
        metric: spelled `MRR@10`.
        sessions: which session each target belongs to, [Q].
        members: positions of the targets to look at; None: all.
        confidence: confidence level of each interval.
    """
    values = np.concatenate([values_of(each.runs, metric) for each in configurations])
    if members is not None:
        values, sessions = values[:, members], sessions[members]
    moments, groups = run_moments(values, sessions), _groups(configurations)
    noise = seed_noise(moments, groups)
    return [difference(moments, groups[0], other, noise, confidence=confidence) for other in groups[1:]]


def lead_over_model(
    configurations: Sequence[Trained], ranks: Ranks, metric: str, sessions: NDArray[np.int64]
) -> Difference:
    """The first configuration less one model, as it is: no seed changes that.

    Args:
        configurations: with the ranks of the same targets; the others say what seeds do.
        ranks: the model's rank of each target, [Q].
        metric: spelled `MRR@10`.
        sessions: which session each target belongs to, [Q].
    """
    values = np.concatenate([*(values_of(each.runs, metric) for each in configurations), _values(ranks, metric)[None]])
    moments, groups = run_moments(values, sessions), _groups(configurations)
    model = Configuration([len(values) - 1], depends_on_seed=False)
    return difference(moments, groups[0], model, seed_noise(moments, groups))


def _groups(configurations: Sequence[Trained]) -> list[Configuration]:
    """Which rows each configuration has, where they follow one another."""
    ends = np.cumsum([len(each.runs) for each in configurations]).tolist()
    return [
        Configuration(range(end - len(each.runs), end), each.depends_on_seed)
        for each, end in zip(configurations, ends, strict=True)
    ]


def values_of(runs: Runs, metric: str) -> Values:
    """A metric, spelled `MRR@10`, of each target with each seed, [S, Q]."""
    return np.stack([_values(run.ranks, metric) for run in runs])


def _values(ranks: Ranks, metric: str) -> Values:
    """A metric, spelled `MRR@10`, of each target, [Q]."""
    name, cutoff = parse_metric(metric)
    return METRICS[name](ranks, cutoff)


def mean_values(runs: Runs, metric: str) -> Values:
    """A metric of each target, averaged over the seeds, [Q]."""
    mean: Values = values_of(runs, metric).mean(axis=0)
    return mean
