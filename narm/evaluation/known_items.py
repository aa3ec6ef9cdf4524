"""Ranks by a model that learned from other data, whose items are not all known to it: an older log of a catalogue, say.

Items are matched by their raw ids, and numbered anew: from 1, in the order of the data, as far as the model knows them.
The model reads a session without the events of other items, as `Recommender` does, and ranks the items that the data
have. Those it does not know come last: a target among them, or one with no known event before it, has the worst rank.
So the ranks can be set beside those of a model that was trained on these data.

V items of the data and the padding, W of the model, K that both have; N rows (events of a packed batch), Q queries
(targets), D length of the vectors, B prefixes, T events of a prefix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narm.data.packing import PackedLayout
from narm.data.sessions import Examples, ItemVocabulary, Sessions
from narm.evaluation.full_ranking import rank_targets
from narm.evaluation.scorer import Scorer
from narm.metrics import Ranks
from narm.two_tower import TwoTower


@dataclass(frozen=True, slots=True)
class KnownItems:
    """The items that the data and the model have in common.

    Attributes:
        of_data: number of each item of the data, 0 of one that the model does not know, int32 [V].
        of_model: the model's index of each of them, and of the padding, int64 [K + 1].
    """

    of_data: NDArray[np.int32]
    of_model: NDArray[np.int64]

    @classmethod
    def of(cls, data: ItemVocabulary, model: ItemVocabulary) -> KnownItems:
        """Match the items of two vocabularies."""
        indices = np.array([0, *(model.index(raw) or 0 for raw in data.ids)], dtype=np.int64)  # [V], 0: not known
        known = indices > 0
        return cls(np.where(known, np.cumsum(known), 0).astype(np.int32), np.append(0, indices[known]))

    def __len__(self) -> int:
        return len(self.of_model) - 1

    def rank_targets(self, model: Scorer, examples: Examples, *, max_length: int, batch_size: int) -> Ranks:
        """Rank of each example's target among the items of the data, [Q], from 1; ties count against the model.

        Args:
            model: knows its own items; scored in evaluation mode, where it is.
            examples: of the data.
            max_length: known events of a prefix that the model sees, the last ones.
            batch_size: targets at a time.
        Raises:
            FloatingPointError: the model has diverged.
        """
        ranks = np.full(len(examples), len(self.of_data) - 1, dtype=np.int64)
        answered, asked = self._known_part(examples)
        if len(asked):
            ranks[answered] = rank_targets(self._narrowed(model), asked, max_length=max_length, batch_size=batch_size)
        return ranks

    def _known_part(self, examples: Examples) -> tuple[NDArray[np.bool_], Examples]:
        """Which targets the model can have an opinion on, [Q], and these, in sessions of known events alone."""
        items = self.of_data[examples.sessions.items]
        is_known = items > 0
        before = np.append(0, np.cumsum(is_known))  # known events before each event, and at last of all
        sessions = Sessions(items[is_known], before[examples.sessions.offsets])
        targets = before[examples.targets]
        answered = is_known[examples.targets] & (targets > sessions.offsets[examples.session_of_target])
        return answered, Examples(sessions, targets[answered])

    def _narrowed(self, model: Scorer) -> Scorer:
        of_model = torch.from_numpy(self.of_model)
        return _NarrowedTower(model, of_model) if isinstance(model, TwoTower) else _NarrowedScorer(model, of_model)


class _NarrowedTower(TwoTower):
    """A network that is asked for some of its items, by other numbers."""

    of_model: Tensor

    def __init__(self, model: TwoTower, of_model: Tensor) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("of_model", of_model.to(model.item_vectors().device))

    @property
    def n_items(self) -> int:
        """Items in common and the padding, K + 1."""
        return len(self.of_model)

    def compute_item_vectors(self) -> Tensor:
        """Those of the items in common, [K + 1, D]."""
        return self.model.item_vectors()[self.of_model]

    def encode(self, items: Tensor, layout: PackedLayout) -> Tensor:
        """The model's vectors of the sessions, [Q, D]."""
        return self.model.encode(self.of_model[items], layout)


@dataclass(frozen=True, slots=True)
class _NarrowedScorer:
    """Any other model that is asked for some of its items, by other numbers; it computes on the CPU."""

    model: Scorer
    of_model: Tensor

    @property
    def n_items(self) -> int:
        """Items in common and the padding, K + 1."""
        return len(self.of_model)

    def scores(self, prefixes: Tensor, lengths: Tensor) -> Tensor:
        """Score the items in common as the next event after each prefix, [B, K + 1]."""
        return self.model.scores(self.of_model[prefixes], lengths)[:, self.of_model]
