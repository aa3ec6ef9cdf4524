"""What all baselines that are learned at once have in common: they count, and score prefixes.

They compute on the CPU, in float64: a tie is a tie, not an accident of rounding.

Q prefixes, B of a batch, T events, V items (item 0 is padding).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narm.data.sessions import Examples, Sessions

Scores = NDArray[np.float64]


class Baseline(ABC):
    """A model without epochs.

    Args:
        n_items: items and the padding, V.
    """

    learned: ClassVar[tuple[str, ...]]
    """Names of the arrays that `learn` makes, and that a checkpoint holds."""
    silence: ClassVar[str | None] = None
    """Of a model whose score of 0 says that it knows nothing of an item: why all items may have it. None: 0 is a score
    like any other."""

    def __init__(self, n_items: int) -> None:
        self.n_items = n_items

    @abstractmethod
    def learn(self, train: Examples) -> None:
        """Learn from all events of the train sessions, whose order is taken for that of time."""

    @abstractmethod
    def score(self, prefixes: Sessions) -> Scores:
        """Score every item after each prefix, [Q, V], in an array of its own; column 0 may be anything."""

    def scores(self, prefixes: Tensor, lengths: Tensor) -> Tensor:
        """Score every item as the next event after each prefix.

        Args:
            prefixes: item indices, [B, T], right-padded with 0.
            lengths: events of each prefix, [B], each in 1..T.
        Returns:
            scores, [B, V] float64; column 0 (padding) is -inf.
        Raises:
            ValueError: a length is zero or larger than T.
        """
        if len(lengths) and (int(lengths.min()) < 1 or int(lengths.max()) > prefixes.shape[1]):
            raise ValueError(f"lengths must be in 1..{prefixes.shape[1]}")
        within = torch.arange(prefixes.shape[1]) < lengths.cpu().unsqueeze(1)
        offsets = np.concatenate(([0], np.cumsum(lengths.cpu().numpy())))
        scores = self.score(Sessions(prefixes.cpu()[within].numpy().astype(np.int32), offsets))
        scores[:, 0] = -np.inf
        return torch.from_numpy(scores)

    @property
    def n_parameters(self) -> int:
        """Numbers that it keeps."""
        return sum(array.numel() for array in self.state_dict().values())

    def state_dict(self) -> dict[str, Tensor]:
        """What it has learned, by name, as a checkpoint holds it; empty before."""
        return {name: torch.from_numpy(getattr(self, name)) for name in self.learned if hasattr(self, name)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take what another one has learned.

        Raises:
            KeyError: it is of another model.
        """
        for name in self.learned:
            setattr(self, name, state[name].numpy())
