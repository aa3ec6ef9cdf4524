"""Item-KNN: items that occur in the same sessions as the last one.

S train sessions, V items, N pairs of items.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from narm.baselines.item_rules import ItemRules
from narm.config import ItemKNNConfig
from narm.data.sessions import Examples


class ItemKNN(ItemRules):
    """The items most similar to the last one, by the sessions that have both.

        similarity(i, j) = s(i, j) / ((s(i) + r)^a (s(j) + r)^(1 - a)),

    where s counts sessions with an item, or both; r is `similarity_regularization` and a `similarity_balance`. With
    a = 1/2 it is the cosine of the paper, with r against coincidences. The `item_neighbors` best of each item are
    kept, of equals those with the lower index.

    Linden et al., "Amazon.com recommendations", IEEE Internet Computing 2003; Hidasi et al., ICLR 2016, section 4.1.
    Differs from the code of GRU4Rec's baseline, which counts pairs of events: a session counts once, as in the text.
    """

    silence = "nothing in train occurred with its last known item"

    def __init__(self, n_items: int, config: ItemKNNConfig) -> None:
        super().__init__(n_items)
        self.config = config

    def learn(self, train: Examples) -> None:
        """Count the sessions that two items share."""
        sessions = train.sessions
        session = np.repeat(np.arange(len(sessions)), sessions.lengths)
        shape = (len(sessions), self.n_items)
        occurs = sparse.csr_array((np.ones(sessions.n_events), (session, sessions.items)), shape=shape)  # [S, V]
        occurs.sum_duplicates()
        occurs.data[:] = 1
        pairs = sparse.coo_array(occurs.T @ occurs)  # [V, V]
        others = pairs.row != pairs.col
        first, second, shared = pairs.row[others], pairs.col[others], pairs.data[others]
        support = occurs.sum(axis=0) + self.config.similarity_regularization
        balance = self.config.similarity_balance
        similarity = shared / (support[first] ** balance * support[second] ** (1 - balance))
        best = _best_of_each(first, second, similarity, self.config.item_neighbors)
        shape = (self.n_items, self.n_items)
        self.keep(sparse.coo_array((similarity[best], (first[best], second[best])), shape=shape))


def _best_of_each(
    first: NDArray[np.int32], second: NDArray[np.int32], similarity: NDArray[np.float64], count: int
) -> NDArray[np.int64]:
    """Which of N pairs are among the `count` most similar of their first item."""
    order = np.lexsort((second, -similarity, first))
    n_pairs = np.bincount(first)
    place = np.arange(len(order)) - np.repeat(np.cumsum(n_pairs) - n_pairs, n_pairs)
    return order[place < count]
