"""Metrics at K: of the ranks of the targets, and of the lists of recommendations. A metric is a function and an entry.

*Of ranks*: there is one target a prefix, so that Recall equals Hit, and the ideal DCG is 1. All are means over targets.
Ranks count from 1; a tie counts against the model, so no metric depends on the order of equal scores.

*Of lists*: what of the catalogue the lists show. Accuracy does not say: the same few items for all sessions may be
right often enough.

Q targets, each with a list; V items and the padding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from narm.errors import InputError

Ranks = NDArray[np.int64]
Values = NDArray[np.float64]
Counts = NDArray[np.int64]
Items = NDArray[np.integer[Any]]


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


METRICS: dict[str, Callable[[Ranks, int], Values]] = {
    "Recall": recall,
    "MRR": mrr,
    "NDCG": ndcg,
    "Hit": recall,
    "Precision": precision,
}


if TYPE_CHECKING:
    MetricName = str
else:
    MetricName = Literal[tuple(METRICS)]  # for pydantic, which then names the metrics in its message


def coverage(shown: Counts, targets: Items, train_counts: Counts) -> float:
    """Share of the items that are in any list (catalogue coverage of Ge, Delgado-Battenfeld & Jannach, RecSys 2010)."""
    return float(np.count_nonzero(shown[1:]) / (len(shown) - 1))


def gini(shown: Counts, targets: Items, train_counts: Counts) -> float:
    """Gini index of how often the items are shown: 0 if all alike, near 1 if only a few ever are.

    Shani & Gunawardana, "Evaluating Recommendation Systems", in the Recommender Systems Handbook, 2011.
    """
    ascending = np.sort(shown[1:])
    n = len(ascending)
    return float(((2 * np.arange(1, n + 1) - n - 1) * ascending).sum() / (n * ascending.sum()))


def popularity_bias(shown: Counts, targets: Items, train_counts: Counts) -> float | None:
    """How many times as popular the items shown are, on average, as those that people went on to.

    1 is no bias. The mean popularity of what is shown is that of Yin et al., "Challenging the Long Tail
    Recommendation", VLDB 2012; set in relation to what people like as the popularity lift of Abdollahpouri et al.,
    RecSys 2020, is. None if no target has a training event: then there is nothing to compare with.
    """
    if not train_counts[targets].any():
        return None
    return float(np.average(train_counts, weights=shown) / train_counts[targets].mean())


LIST_METRICS: dict[str, Callable[[Counts, Items, Counts], float | None]] = {
    "coverage": coverage,
    "gini": gini,
    "popularity_bias": popularity_bias,
}
"""Functions of: how many lists each item is in, [V], not all 0; the targets, [Q]; training events of each item, [V]."""


def parse_metric(text: str) -> tuple[MetricName, int]:
    """Read `MRR@10`, in any case, as a metric and its cutoff.

    Raises:
        InputError: no such metric, or one of lists, or no positive integer behind the `@`.
    """
    name, _, cutoff = (part.strip() for part in text.partition("@"))
    known = ", ".join(METRICS)
    if name.lower() in LIST_METRICS:
        raise InputError(
            f"'{text}' cannot choose between models: {name.lower()} is of a whole set of lists, "
            f"and computed on test only; write one of {known} and a cutoff, as in MRR@10"
        )
    by_lower = {metric.lower(): metric for metric in METRICS}
    if name.lower() not in by_lower or not cutoff.isdecimal() or int(cutoff) < 1:
        raise InputError(f"'{text}' is not a metric: write one of {known} and a cutoff, as in MRR@10")
    return by_lower[name.lower()], int(cutoff)


def metric_key(name: str, cutoff: int) -> str:
    """The key of a metric among results: `recall_at_20`; MLflow refuses `@`."""
    return f"{name.lower()}_at_{cutoff}"


def key_of(metric: str) -> str:
    """The key of a metric that is spelled `Recall@20`: `recall_at_20`."""
    return metric_key(*parse_metric(metric))


def metric_values(ranks: Ranks, metrics: Iterable[MetricName], cutoffs: Iterable[int]) -> dict[str, Values]:
    """Each metric at each cutoff for every target, [Q], by key."""
    cutoffs = list(cutoffs)
    return {metric_key(name, cutoff): METRICS[name](ranks, cutoff) for name in metrics for cutoff in cutoffs}


def summarize(ranks: Ranks, metrics: Iterable[MetricName], cutoffs: Iterable[int]) -> dict[str, float]:
    """Mean of each metric at each cutoff over the targets, by key."""
    return {key: float(values.mean()) for key, values in metric_values(ranks, metrics, cutoffs).items()}
