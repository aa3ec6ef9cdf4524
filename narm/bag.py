"""A bag: several trained networks as one, whose scores are the mean of theirs.

Breiman, "Bagging predictors", Machine Learning 1996; with Lakshminarayanan et al., "Simple and scalable predictive
uncertainty estimation using deep ensembles", NIPS 2017, the members differ in their seeds and not in their data.

The mean of products is a product: of the members' vectors of the session, one after the other, and of their vectors of
the item. So a bag ranks, recommends and is exported as one network is, and nothing about it is approximate.

N rows (events of a packed batch), Q queries (targets), D length of the vectors of all members together, V items.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from narm.data.packing import PackedLayout
from narm.two_tower import TwoTower


class Bag(TwoTower):
    """Trained networks over the same items, asked as one; it is in evaluation mode, and so are they.

    Args:
        members: one or more, which the bag shares.
    Raises:
        ValueError: there is none, or they are of different numbers of items.
    """

    members: Sequence[TwoTower]

    def __init__(self, members: Sequence[TwoTower]) -> None:
        super().__init__()
        if len({member.n_items for member in members}) != 1:
            raise ValueError("a bag takes one or more models of the same items")
        self.members = cast("Sequence[TwoTower]", nn.ModuleList(members))
        self.eval()

    @property
    def n_items(self) -> int:
        """Items and the padding, V."""
        return self.members[0].n_items

    def compute_item_vectors(self) -> Tensor:
        """The members' vectors of each item, one after the other, [V, D]."""
        return torch.cat([member.compute_item_vectors() for member in self.members], dim=1)

    def encode(self, items: Tensor, layout: PackedLayout) -> Tensor:
        """The members' vectors of each session, one after the other, [Q, D], divided by how many they are."""
        return torch.cat([member.encode(items, layout) for member in self.members], dim=1) / len(self.members)
