"""What a model must do to be judged and to recommend: score all items, given the events so far."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Scorer(Protocol):
    """A NARM, or a baseline. B batch, T events, V items and the padding."""

    @property
    def n_items(self) -> int:
        """Items and the padding, V."""

    def scores(self, prefixes: Tensor, lengths: Tensor) -> Tensor:
        """Score every item as the next event after each prefix.

        Args:
            prefixes: item indices, [B, T], right-padded with 0.
            lengths: events of each prefix, [B], each in 1..T.
        Returns:
            scores, [B, V], higher is better; column 0 (padding) is of no account.
        """
