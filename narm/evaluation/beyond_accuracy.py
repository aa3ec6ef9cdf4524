"""What of the catalogue the lists of recommendations show: each metric of lists at each cutoff."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from narm.metrics import LIST_METRICS, Counts, Items, metric_key


def beyond_accuracy(lists: Items, targets: Items, train_counts: Counts, cutoffs: Iterable[int]) -> dict[str, float]:
    """Coverage, Gini index and popularity bias of the first K of each list, by key: `coverage_at_20`.

    Args:
        lists: recommended items, best first, [Q, K]; K at least the largest cutoff, or the whole catalogue.
        targets: the items that were clicked, [Q].
        train_counts: training events of each item, [V].
        cutoffs: the numbers K.
    """
    found = {}
    for cutoff in cutoffs:
        shown = np.bincount(lists[:, :cutoff].ravel(), minlength=len(train_counts))
        for name, metric in LIST_METRICS.items():
            value = metric(shown, targets, train_counts)
            if value is not None:
                found[metric_key(name, cutoff)] = value
    return found
