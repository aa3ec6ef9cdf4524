"""Ranks among a few sampled negatives, for comparison with papers that report them.

Krichene & Rendle, "On Sampled Metrics for Item Recommendation", KDD 2020: such metrics are inconsistent with the
exact ones, and can rank two models the other way round. So they are reported beside the full ranking, never in its
place, under keys that say what they are: `recall_at_10_sampled_100`.

Q targets, V items and the padding.
"""

from __future__ import annotations

import numpy as np

from narm.errors import InputError
from narm.metrics import Ranks


def sampled_ranks(ranks: Ranks, *, n_items: int, n_negatives: int, seed: int) -> Ranks:
    """Rank of each target among itself and negatives drawn evenly, without repetition, from all other items, [Q].

    Nothing is scored again: of the V - 2 others, rank - 1 score as high as the target, and how many of these are
    among the negatives follows the hypergeometric distribution.

    Args:
        ranks: among all items, [Q].
        n_items: items and the padding, V.
        n_negatives: for each target.
        seed: seed of the draws.
    Raises:
        InputError: there are not as many other items.
    """
    if n_negatives > n_items - 2:
        raise InputError(f"sampled_negatives: {n_negatives}: a target has {n_items - 2} other items to draw from")
    harder = ranks - 1
    drawn: Ranks = np.random.default_rng(seed).hypergeometric(harder, n_items - 2 - harder, n_negatives)
    return drawn + 1


def sampled_key(key: str, n_negatives: int) -> str:
    """The key of a metric among sampled negatives."""
    return f"{key}_sampled_{n_negatives}"
