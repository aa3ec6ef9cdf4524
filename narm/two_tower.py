"""What networks have in common that score an item by the product of two vectors, the session's and the item's.

B batch, T steps, N rows (events of a packed batch), Q queries (targets), D length of the vectors, V items.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from narm.data.packing import PackedLayout, pack_padded


class TwoTower(nn.Module, ABC):
    """A network that makes a vector of each session and of each item, whose products are the scores.

    So rankings can be streamed: the scores of all items are never in memory all at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self._frozen_vectors: Tensor | None = None

    @property
    @abstractmethod
    def n_items(self) -> int:
        """Items and the padding, V."""

    @property
    def n_parameters(self) -> int:
        """Numbers that training changes."""
        return sum(parameter.numel() for parameter in self.parameters())

    @abstractmethod
    def encode(self, items: Tensor, layout: PackedLayout) -> Tensor:
        """Represent the session as it stood at each query.

        Args:
            items: item indices of a packed batch, [N].
            layout: positions of its events and queries.
        Returns:
            vectors of the sessions, [Q, D]; their product with `item_vectors` scores the items.
        """

    @abstractmethod
    def compute_item_vectors(self) -> Tensor:
        """What a session is multiplied with to score items, of all items, [V, D], from the weights as they are."""

    def item_vectors(self) -> Tensor:
        """The vectors of all items, [V, D]; after `freeze_items`, those of then."""
        return self.compute_item_vectors() if self._frozen_vectors is None else self._frozen_vectors

    @torch.no_grad()
    def freeze_items(self) -> None:
        """Compute the vectors of all items once, for a model that is only asked from now on."""
        self._frozen_vectors = self.compute_item_vectors()

    def scores(self, prefixes: Tensor, lengths: Tensor) -> Tensor:
        """Score every item as the next event after each prefix.

        Args:
            prefixes: item indices, [B, T], right-padded with 0.
            lengths: events of each prefix, [B], each in 1..T.
        Returns:
            unnormalised scores, [B, V]; column 0 (padding) is -inf.
        Raises:
            ValueError: a length is zero or larger than T.
        """
        if len(lengths) and (int(lengths.min()) < 1 or int(lengths.max()) > prefixes.shape[1]):
            raise ValueError(f"lengths must be in 1..{prefixes.shape[1]}")
        items, layout, order = pack_padded(prefixes, lengths)
        vectors = self.item_vectors()
        scores = torch.empty(len(lengths), self.n_items, dtype=vectors.dtype, device=prefixes.device)
        scores[order] = self.encode(items, layout) @ vectors.T
        scores[:, 0] = -torch.inf
        return scores
