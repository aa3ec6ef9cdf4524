"""SR, sequential rules: what came after the last item, the sooner the better.

V items.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from narm.baselines.item_rules import ItemRules
from narm.baselines.weightings import BY_STEPS
from narm.config import SequentialRulesConfig
from narm.data.sessions import Examples


class SequentialRules(ItemRules):
    """An item scores the sum, over its occurrences behind the last item in train sessions, of a weight of the steps.

    Ludewig & Jannach, "Evaluation of session-based recommendation algorithms", UMUAI 2018, section 3.1.3:
    score(i) = sum over sessions and x > y of [p_y is the last item] [p_x = i] w(x - y), with w(n) = 1 / n. Differs from
    it: other weights may be chosen, no rule spans more than `rule_steps` (as in the authors' code, whose pruning of
    rules is left out), and the sum is not divided by a constant of the last item, which would rank the same.
    """

    silence = "nothing in train followed its last known item"

    def __init__(self, n_items: int, config: SequentialRulesConfig) -> None:
        super().__init__(n_items)
        self.config = config

    def learn(self, train: Examples) -> None:
        """Add up the rules of each distance."""
        items = train.sessions.items
        session = np.repeat(np.arange(len(train.sessions)), train.sessions.lengths)
        shape = (self.n_items, self.n_items)
        rules = sparse.csr_array(shape)
        longest = int(train.sessions.lengths.max(initial=0))
        for steps in range(1, min(self.config.rule_steps, longest - 1) + 1):
            weight = float(BY_STEPS[self.config.rule_weighting](np.array(steps)))
            same = session[:-steps] == session[steps:]
            pairs = (items[:-steps][same], items[steps:][same])
            rules += weight * sparse.csr_array((np.ones(len(pairs[0])), pairs), shape=shape)
        self.keep(rules)
