"""Target ranks -> Recall, MRR, NDCG, Hit and Precision at K.

There is one target a prefix, so that Recall equals Hit, and the ideal DCG is 1. All are means over targets.
Ranks count from 1; a tie counts against the model, so no metric depends on the order of equal scores.
Q targets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from narm.errors import InputError

MetricName = Literal["Recall", "MRR", "NDCG", "Hit", "Precision"]
Ranks = NDArray[np.int64]
Values = NDArray[np.float64]


def recall(ranks: Ranks, cutoff: int) -> Values:
    """1 where the target is among the first K, [Q]."""
    return (ranks <= cutoff).astype(np.float64)


def precision(ranks: Ranks, cutoff: int) -> Values:
    """Share of the first K that are the target, [Q]."""
    return recall(ranks, cutoff) / cutoff


def mrr(ranks: Ranks, cutoff: int) -> Values:
    """Reciprocal rank, 0 beyond K, [Q]."""
    return recall(ranks, cutoff) / ranks


def ndcg(ranks: Ranks, cutoff: int) -> Values:
    """1 / log2(rank + 1), 0 beyond K, [Q] (Järvelin & Kekäläinen 2002)."""
    discounted: Values = recall(ranks, cutoff) / np.log2(ranks + 1.0)
    return discounted


METRICS: dict[MetricName, Callable[[Ranks, int], Values]] = {
    "Recall": recall,
    "MRR": mrr,
    "NDCG": ndcg,
    "Hit": recall,
    "Precision": precision,
}


def parse_metric(text: str) -> tuple[MetricName, int]:
    """Read `MRR@10`, in any case, as a metric and its cutoff.

    Raises:
        InputError: no such metric, or no positive integer behind the `@`.
    """
    name, _, cutoff = text.partition("@")
    by_lower = {known.lower(): known for known in get_args(MetricName)}
    if name.strip().lower() not in by_lower or not cutoff.strip().isdecimal() or int(cutoff) < 1:
        raise InputError(f"'{text}' is not a metric: write one of {', '.join(METRICS)} and a cutoff, as in MRR@10")
    return by_lower[name.strip().lower()], int(cutoff)


def metric_key(name: str, cutoff: int) -> str:
    """The key of a metric among results: `recall_at_20`; MLflow refuses `@`."""
    return f"{name.lower()}_at_{cutoff}"


def metric_values(ranks: Ranks, metrics: Iterable[MetricName], cutoffs: Iterable[int]) -> dict[str, Values]:
    """Each metric at each cutoff for every target, [Q], by key."""
    cutoffs = list(cutoffs)
    return {metric_key(name, cutoff): METRICS[name](ranks, cutoff) for name in metrics for cutoff in cutoffs}


def summarize(ranks: Ranks, metrics: Iterable[MetricName], cutoffs: Iterable[int]) -> dict[str, float]:
    """Mean of each metric at each cutoff over the targets, by key."""
    return {key: float(values.mean()) for key, values in metric_values(ranks, metrics, cutoffs).items()}
