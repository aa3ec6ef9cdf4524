"""Neighbouring sessions: S-KNN, V-SKNN, STAN and VSTAN, which differ in five weights.

For a prefix s, the candidates are the `sample_size` most recent train sessions n that share an item with it, and the
`k_neighbors` most similar of them score each of their items i:

    similarity(s, n) = b(n) * sum over shared items j of a(j, s)
    score(i) = sum over neighbours n with i of similarity(s, n) * c(j*, s) * d(i, j*, n) * e(i),

j* being the latest event of s that n shares. Items are taken as sets, each where it occurred last.

S train sessions, N items in all of them, V items; M items in all prefixes.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narm.baselines.baseline import Baseline, Scores
from narm.baselines.distinct import DistinctItems
from narm.baselines.weightings import BY_POSITION, BY_STEPS
from narm.config import NeighborsConfig
from narm.data.sessions import Examples, Sessions
from narm.kernels import threads
from narm.kernels.compile import compiled

Numbers = NDArray[np.float64]


class SessionNeighbors(Baseline):
    """What all of them share: candidates, neighbours, and the weights of which a model says nothing.

    Sessions carry their order, not their times: the most recent ones are the last of train, and the prefixes to score
    are taken to come after all of train. With leave-one-out a train session may be the beginning of the one at hand:
    it is then a neighbour like any other, and does not know the target.
    """

    learned = ("session_items", "session_positions", "session_offsets")
    silence = "it has no neighbour in train"
    session_items: NDArray[np.int32]
    """Distinct items of each train session, [N]."""
    session_positions: NDArray[np.int32]
    """Where each occurred last, from 1, [N]."""
    session_offsets: NDArray[np.int64]
    """First item of each session, [S + 1]."""

    def __init__(self, n_items: int, config: NeighborsConfig) -> None:
        super().__init__(n_items)
        self.config = config

    @abstractmethod
    def prefix_weights(self, prefixes: DistinctItems, lengths: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
        """The weights a and c of each prefix's items, [M] and [M].

        Args:
            prefixes: their distinct items.
            lengths: events of the prefix that each item is of, [M].
        """

    def session_factors(self) -> Numbers:
        """The weight b of each train session, [S]."""
        return np.ones(len(self._counts))

    def nearness(self, distance: NDArray[np.int64]) -> Numbers:
        """The weight d by the events between an item and the shared one."""
        return np.ones(distance.shape)

    def item_factors(self) -> Numbers:
        """The weight e of each item, [V]."""
        return np.ones(self.n_items)

    def rare_item_factors(self) -> Numbers:
        """V-SKNN's weight e, more for items of few sessions: 1 + `idf_weight` ln(S / sessions with it), [V]."""
        rarity = np.log(max(len(self._counts), 1) / np.maximum(self._posting_counts, 1))
        return 1 + self.config.idf_weight * rarity

    def learn(self, train: Examples) -> None:
        """Remember the sessions."""
        known = DistinctItems.of(train.sessions)
        self.session_items, self.session_positions, self.session_offsets = known.items, known.positions, known.offsets
        self._index()

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take the sessions that another one remembers."""
        super().load_state_dict(state)
        self._index()

    def _index(self) -> None:
        """What follows from the sessions: who has an item, and the weights that no prefix changes."""
        self._counts = np.diff(self.session_offsets)
        sessions = np.repeat(np.arange(len(self._counts), dtype=np.int32), self._counts)
        recent_first = np.lexsort((-sessions, self.session_items))
        self._postings = sessions[recent_first]
        self._posting_counts = np.bincount(self.session_items, minlength=self.n_items)  # sessions with each item
        self._posting_offsets = np.concatenate(([0], np.cumsum(self._posting_counts)))
        longest = int(self.session_positions.max(initial=1))
        self._session_factors = self.session_factors()
        self._nearness = self.nearness(np.arange(longest))
        self._item_factors = self.item_factors()

    def score(self, prefixes: Sessions) -> Scores:
        """The formula at the head of this module, [Q, V]."""
        distinct = DistinctItems.of(prefixes)
        similarity, factors = self.prefix_weights(distinct, prefixes.lengths[distinct.sessions])
        scores = np.empty((len(prefixes), self.n_items))
        known = (self.session_offsets, self.session_items, self.session_positions)
        weights = (self._session_factors, self._nearness, self._item_factors)
        threads.run(
            _kernel(),
            *(distinct.items, similarity, factors, distinct.offsets),
            *(self._posting_offsets, self._postings, *known, *weights),
            *(self.config.k_neighbors, self.config.sample_size, scores),
        )
        return scores


class SKNN(SessionNeighbors):
    """S-KNN: similarity is the cosine of the sets of items, and nothing else counts.

    Jannach & Ludewig, "When recurrent neural networks meet the neighborhood for session-based recommendation", RecSys
    2017. a = 1 / sqrt(|s|), b = 1 / sqrt(|n|), c = d = e = 1. Differs from it: nothing.
    """

    def prefix_weights(self, prefixes: DistinctItems, lengths: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
        """The prefix's part of the cosine."""
        return 1 / np.sqrt(prefixes.counts[prefixes.sessions]), np.ones(len(lengths))

    def session_factors(self) -> Numbers:
        """The train session's part of the cosine."""
        return 1 / np.sqrt(np.maximum(self._counts, 1))


class VSKNN(SessionNeighbors):
    """V-SKNN: similarity is the product of the train session's set with weights that fall towards the past.

    Ludewig & Jannach, "Evaluation of session-based recommendation algorithms", UMUAI 2018: a is `position_weighting`,
    b = d = 1. Differs from it as its authors' later code does (Ludewig et al., "Empirical analysis of session-based
    recommendation algorithms", UMUAI 2021): c is `score_weighting` ("same" is the paper's) and
    e = 1 + `idf_weight` ln(S / sessions with i).
    """

    def prefix_weights(self, prefixes: DistinctItems, lengths: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
        """By position in the prefix, and by steps from its end."""
        positions = prefixes.positions.astype(np.int64)
        similarity = BY_POSITION[self.config.position_weighting](positions, lengths)
        return similarity, BY_STEPS[self.config.score_weighting](lengths - positions + 1)

    def item_factors(self) -> Numbers:
        """More for items of few sessions."""
        return self.rare_item_factors()


class STAN(SessionNeighbors):
    """STAN: the cosine, with weights that fall towards the past in the prefix, over the sessions, and in a neighbour.

    Garg et al., "Sequence and time aware neighborhood for session-based recommendations: STAN", SIGIR 2019:

        a = exp(-(events of s after j) / l1) / sqrt(|s|)
        b = exp(-(age of n) / l2) / sqrt(|n|)
        d = exp(-(events between i and j* in n) / l3),    c = e = 1,

    where l1 is `session_decay`, l2 `recency_decay` and l3 `neighbor_decay`. Differs from it: the age of a session is
    the share of train sessions that come after it, not a time; candidates are sampled.
    """

    def prefix_weights(self, prefixes: DistinctItems, lengths: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
        """By events from the end of the prefix."""
        similarity = np.exp((prefixes.positions - lengths) / self.config.session_decay)
        return similarity / np.sqrt(prefixes.counts[prefixes.sessions]), np.ones(len(lengths))

    def session_factors(self) -> Numbers:
        """By size and age."""
        n_sessions = len(self._counts)
        age = 1 - np.arange(1, n_sessions + 1) / n_sessions
        return np.exp(-age / self.config.recency_decay) / np.sqrt(np.maximum(self._counts, 1))

    def nearness(self, distance: NDArray[np.int64]) -> Numbers:
        """By events between."""
        return np.exp(-distance / self.config.neighbor_decay)


class VSTAN(STAN):
    """VSTAN: STAN with two weights of V-SKNN: neighbours that share recent events count more, and so do rare items.

    Ludewig et al., "Empirical analysis of session-based recommendation algorithms", UMUAI 2021. Beside STAN's weights:

        c = exp(-(events of s after j*) / l4),    e = 1 + `idf_weight` ln(S / sessions with i),

    where l4 is `score_decay`. Differs from its authors' code as STAN does, and in d: there it counts events from the
    latest event of n that s shares, not from j*. Its `similarity` has no effect in that code, and is left out.
    """

    def prefix_weights(self, prefixes: DistinctItems, lengths: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
        """By events from the end of the prefix, with a decay for each of the two."""
        similarity, _ = super().prefix_weights(prefixes, lengths)
        return similarity, np.exp((prefixes.positions - lengths) / self.config.score_decay)

    def item_factors(self) -> Numbers:
        """More for items of few sessions."""
        return self.rare_item_factors()


def _kernel() -> Callable[..., None]:
    """The compiled loop; the same loop in Python where it cannot be compiled."""
    module = compiled("neighbors", torch.float64)
    if module is not None:
        return module.score_items  # type: ignore[no-any-return]
    from narm.kernels import neighbors  # here, since it imports numba, which others need not wait for

    return neighbors.score_items.py_func  # type: ignore[no-any-return]
