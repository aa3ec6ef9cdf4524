"""Full ranking of all items for every example, streamed.

Each prefix is the last `max_length` events before its target, as RecBole takes it; seen items are not masked, and
only the padding is left out. A network encodes prefixes that start at the same event in one pass, and its scores are
never in memory all at once; any other model is asked for the scores of some prefixes at a time.

Q targets, B prefixes at a time, T events of a prefix, V items and the padding, K items of a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from narm.config import EvaluationConfig
from narm.data.batches import ordered_batches
from narm.data.sessions import Examples
from narm.data.windows import cut_windows
from narm.evaluation.ranking import best_items, ranks_and_top_items, ranks_by_scores, target_ranks, top_k
from narm.evaluation.scorer import Scorer
from narm.metrics import Ranks, summarize
from narm.two_tower import TwoTower

Lists = NDArray[np.int32]

_SCORES = 2**24  # of models that are no networks, in memory at once: 64 MB


def evaluate(model: Scorer, examples: Examples, config: EvaluationConfig, *, max_length: int) -> dict[str, float]:
    """Mean metrics over the examples, by key: `recall_at_10`.

    Args:
        model: scored in evaluation mode, where it is.
        examples: what to predict; of each session only the last target, if `eval_targets` says so.
        config: metrics and cutoffs; the cutoff of `valid_metric` is always among them.
        max_length: events of a prefix that the model sees.
    """
    examples = chosen_targets(examples, config)
    ranks = rank_targets(model, examples, max_length=max_length, batch_size=config.eval_batch_size)
    return summarize(ranks, config.metrics_to_report, config.cutoffs)


def chosen_targets(examples: Examples, config: EvaluationConfig) -> Examples:
    """The examples that `eval_targets` keeps: all, or the last of each session."""
    if config.eval_targets == "all" or len(examples) == 0:
        return examples
    last = np.flatnonzero(np.diff(examples.session_of_target, append=-1))
    return Examples(examples.sessions, examples.targets[last])


@torch.no_grad()
def rank_targets(model: Scorer, examples: Examples, *, max_length: int, batch_size: int) -> Ranks:
    """Rank of each example's target among all items, [Q], from 1; ties count against the model."""
    ranks = np.empty(len(examples), dtype=np.int64)
    with _evaluating(model):
        for part in _parts(model, examples, max_length, batch_size):
            ranks[part.positions] = part.ranks().cpu().numpy()
    return ranks


@torch.no_grad()
def top_items(model: Scorer, examples: Examples, k: int, *, max_length: int, batch_size: int) -> Lists:
    """The K best items for each example, best first, [Q, K]; of equal scores the lower item comes first."""
    lists = np.empty((len(examples), k), dtype=np.int32)
    with _evaluating(model):
        for part in _parts(model, examples, max_length, batch_size):
            lists[part.positions] = part.items(k).cpu().numpy()
    return lists


@torch.no_grad()
def rank_and_list(
    model: Scorer, examples: Examples, k: int, *, max_length: int, batch_size: int
) -> tuple[Ranks, Lists]:
    """`rank_targets` and `top_items` from the same scores."""
    ranks = np.empty(len(examples), dtype=np.int64)
    lists = np.empty((len(examples), k), dtype=np.int32)
    with _evaluating(model):
        for part in _parts(model, examples, max_length, batch_size):
            of_part, items = part.ranks_and_items(k)
            ranks[part.positions], lists[part.positions] = of_part.cpu().numpy(), items.cpu().numpy()
    return ranks, lists


@dataclass(frozen=True, slots=True)
class _Represented:
    """Some examples as a network represents them; their scores are streamed.

    Attributes:
        positions: among the examples, [B].
        targets: items, [B].
        hidden: vectors of the sessions, [B, D].
        vectors: vectors of all items, [V, D].
    """

    positions: NDArray[np.int64]
    targets: Tensor
    hidden: Tensor
    vectors: Tensor

    def ranks(self) -> Tensor:
        return target_ranks(self.hidden, self.vectors, self.targets)

    def items(self, k: int) -> Tensor:
        return top_k(self.hidden, self.vectors, k)[1]

    def ranks_and_items(self, k: int) -> tuple[Tensor, Tensor]:
        return ranks_and_top_items(self.hidden, self.vectors, self.targets, k)


@dataclass(frozen=True, slots=True)
class _Scored:
    """Some examples, and their scores from any model, [B, V]."""

    positions: NDArray[np.int64]
    targets: Tensor
    scores: Tensor

    def ranks(self) -> Tensor:
        return ranks_by_scores(self.scores, self.targets)

    def items(self, k: int) -> Tensor:
        return best_items(self.scores[:, 1:], k)[1] + 1

    def ranks_and_items(self, k: int) -> tuple[Tensor, Tensor]:
        return self.ranks(), self.items(k)


def _parts(
    model: Scorer, examples: Examples, max_length: int, batch_size: int
) -> Iterator[_Represented] | Iterator[_Scored]:
    if isinstance(model, TwoTower):
        return _represented(model, examples, max_length, batch_size)
    return _scored(model, examples, max_length, batch_size)


def _represented(model: TwoTower, examples: Examples, max_length: int, batch_size: int) -> Iterator[_Represented]:
    vectors = model.item_vectors()
    for batch in ordered_batches(cut_windows(examples, max_length, stride=1), batch_size):
        on_device = batch.to(vectors.device)
        hidden = model.encode(on_device.items, batch.layout)
        yield _Represented(batch.examples, on_device.targets, hidden, vectors)


def _scored(model: Scorer, examples: Examples, max_length: int, batch_size: int) -> Iterator[_Scored]:
    starts = examples.prefix_starts(max_length)
    order = np.argsort(examples.targets - starts, kind="stable")
    size = min(batch_size, max(_SCORES // model.n_items, 1))
    for first in range(0, len(order), size):
        chosen = order[first : first + size]
        prefixes, lengths = _padded(examples.sessions.items, starts[chosen], examples.targets[chosen])
        device = _device(model)
        scores = model.scores(prefixes.to(device), lengths.to(device))
        targets = torch.from_numpy(examples.target_items[chosen].astype(np.int64))
        yield _Scored(chosen, targets.to(scores.device), scores)


def _padded(items: NDArray[np.int32], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """`items[start:end]` of each pair, right-padded with 0, [B, T], and their lengths, [B]."""
    lengths = ends - starts
    steps = np.arange(lengths.max())
    positions = np.minimum(starts[:, None] + steps, len(items) - 1)
    prefixes = np.where(steps < lengths[:, None], items[positions], 0)
    return torch.from_numpy(prefixes.astype(np.int64)), torch.from_numpy(lengths)


def _device(model: Scorer) -> torch.device:
    """Where the weights of a network are; what is none computes on the CPU."""
    weights = next(model.parameters(), None) if isinstance(model, nn.Module) else None
    return torch.device("cpu") if weights is None else weights.device


@contextmanager
def _evaluating(model: Scorer) -> Iterator[None]:
    """Put a network into evaluation mode, and back into the mode that it was in."""
    if not isinstance(model, nn.Module):
        yield
        return
    was_training = model.training
    model.eval()
    yield
    model.train(was_training)
