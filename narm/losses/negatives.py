"""Items to learn against: RecBole's `train_neg_sample_args`.

A negative is any item but the row's own target; items of the session are not excluded (RecBole's
`RepeatableSampler`). Q targets, S = sample_num, V items.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narm.config import NegativeSampling


def uniform_sampler(n_items: int) -> Callable[[Tensor], Tensor]:
    """A function from targets, any shape, to items drawn evenly from all others but the padding."""
    if n_items < 3:
        raise ValueError("negatives need two items at least")

    def draw(targets: Tensor) -> Tensor:
        drawn = torch.randint(1, n_items - 1, targets.shape)
        return drawn + (drawn >= targets)  # skips the target itself

    return draw


def popularity_sampler(counts: NDArray[np.int64], alpha: float) -> Callable[[Tensor], Tensor]:
    """A function from targets, any shape, to other items, each as likely as its count ** alpha.

    Args:
        counts: how often each item is a target, [V]; an item that never is one is never drawn.
        alpha: 1 is popularity, 0 is uniform over the items that occur.
    """
    weights = np.where(counts > 0, counts.astype(np.float64) ** alpha, 0.0)
    if np.count_nonzero(weights) < 2:
        raise ValueError("negatives by popularity need two items that occur")
    cumulative = torch.from_numpy(np.cumsum(weights))
    cumulative /= cumulative[-1].item()  # ends in 1 exactly: no draw lies beyond

    def draw(targets: Tensor) -> Tensor:
        drawn = torch.empty_like(targets)
        clashes = torch.ones(targets.shape, dtype=torch.bool)
        while clashes.any():  # redraw what hit its target: exact, and rarely more than twice
            uniform = torch.rand(int(clashes.sum()), dtype=torch.float64)
            drawn[clashes] = torch.searchsorted(cumulative, uniform, right=True)
            clashes = drawn == targets
        return drawn

    return draw


def negative_sampler(config: NegativeSampling, counts: NDArray[np.int64]) -> Callable[[Tensor], Tensor]:
    """The sampler that `train_neg_sample_args` asks for, given how often each item is a target, [V]."""
    if config.distribution == "uniform":
        return uniform_sampler(len(counts))
    return popularity_sampler(counts, config.alpha)


def hardest(candidates: Tensor, hidden: Tensor, vectors: Tensor) -> Tensor:
    """The best-scoring candidate of each group (RecBole's dynamic negatives).

    Args:
        candidates: items, [Q, S, C].
        hidden: vectors of the sessions, [Q, D].
        vectors: vectors of all items, [V, D].
    Returns:
        items, [Q, S].
    """
    scores = torch.einsum("qscd,qd->qsc", vectors[candidates], hidden)
    return candidates.gather(2, scores.argmax(dim=2, keepdim=True)).squeeze(2)
