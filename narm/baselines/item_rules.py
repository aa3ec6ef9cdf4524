"""Baselines that look at the last event only: from each item, weights of others, kept as a sparse matrix.

Q prefixes, V items, R rules.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from narm.baselines.baseline import Baseline, Scores
from narm.data.sessions import Sessions


class ItemRules(Baseline):
    """Rules from the last item of the session to the next one; an item without a rule scores 0."""

    learned = ("rule_offsets", "rule_items", "rule_weights")
    rule_offsets: NDArray[np.int64]
    """First rule of each item, [V + 1]."""
    rule_items: NDArray[np.int32]
    """The item that a rule leads to, [R]."""
    rule_weights: NDArray[np.float64]
    """Above 0, [R]."""

    def keep(self, rules: Any) -> None:
        """Keep a sparse matrix [V, V]: weights from each row's item to those of the columns."""
        rules = sparse.csr_array(rules)
        self.rule_offsets = rules.indptr.astype(np.int64)
        self.rule_items = rules.indices.astype(np.int32)
        self.rule_weights = rules.data.astype(np.float64)

    def score(self, prefixes: Sessions) -> Scores:
        """Weights of the rules of each prefix's last item, [Q, V]."""
        last = prefixes.items[prefixes.offsets[1:] - 1]
        scores = np.zeros((len(last), self.n_items))
        counts = np.diff(self.rule_offsets)[last]
        rows = np.repeat(np.arange(len(last)), counts)
        ends = np.cumsum(counts)
        rules = np.arange(len(rows)) + np.repeat(self.rule_offsets[last] - (ends - counts), counts)
        scores[rows, self.rule_items[rules]] = self.rule_weights[rules]
        return scores
