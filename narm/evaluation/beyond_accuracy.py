"""What of the catalogue the lists of recommendations show: coverage, concentration, and bias to the popular.

Accuracy says nothing of it: the same few items for all sessions may be right often enough.

Q lists, K items of each, V items and the padding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Lists = NDArray[np.integer[Any]]


def coverage(shown: Counts) -> float:
    """Share of the items that stand in any list (catalogue coverage of Ge, Delgado-Battenfeld & Jannach, RecSys 2010).

    Args:
        shown: how many lists each item stands in, [V].
    """
    return float(np.count_nonzero(shown[1:]) / (len(shown) - 1))


def gini(shown: Counts) -> float:
    """Gini index of how often the items are shown: 0 if all alike, near 1 if only a few ever are.

    Shani & Gunawardana, "Evaluating Recommendation Systems", in the Recommender Systems Handbook, 2011.

    Args:
        shown: how many lists each item stands in, [V]; not all 0.
    """
    ascending = np.sort(shown[1:])
    n = len(ascending)
    return float(((2 * np.arange(1, n + 1) - n - 1) * ascending).sum() / (n * ascending.sum()))


def popularity_bias(shown: Counts, targets: Lists, train_counts: Counts) -> float:
    """How many times as popular the items shown are, on average, as those that people went on to.

    1 is no bias. The mean popularity of what is shown is that of Yin et al., "Challenging the Long Tail
    Recommendation", VLDB 2012; set in relation to what people like as the popularity lift of Abdollahpouri et al.,
    RecSys 2020, is.

    Args:
        shown: how many lists each item stands in, [V].
        targets: the items that were clicked, [Q].
        train_counts: training events of each item, [V]; some target has one.
    """
    return float(np.average(train_counts, weights=shown) / train_counts[targets].mean())


def exposure(lists: Lists, targets: Lists, train_counts: Counts, cutoffs: list[int]) -> dict[str, float]:
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
        found[f"coverage_at_{cutoff}"] = coverage(shown)
        found[f"gini_at_{cutoff}"] = gini(shown)
        if train_counts[targets].any():  # else there is nothing to compare with
            found[f"popularity_bias_at_{cutoff}"] = popularity_bias(shown, targets, train_counts)
    return found
