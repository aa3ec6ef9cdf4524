"""BPR-MF: factors of items, and a session is the mean of those of its items.

N rows (events of a packed batch), Q queries (targets), D embedding, V items; E events of all prefixes.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from narm.config import ModelConfig
from narm.data.packing import PackedLayout
from narm.model import SessionEncoder, initialize


class BPRMF(SessionEncoder):
    """Matrix factorisation, trained to score the next event above items drawn at random.

    Rendle et al., "BPR: Bayesian Personalized Ranking from Implicit Feedback", UAI 2009, for sessions as Hidasi et al.,
    ICLR 2016, section 4.1: there is no vector of a new session, so that the mean of its items' factors represents it.
    Differs from them: the mean represents the session in training too (they learn a vector of each train session and
    put the mean in its place to predict), items have no bias, and Adam takes the steps.
    """

    def __init__(self, n_items: int, config: ModelConfig) -> None:
        super().__init__(n_items, config)
        self.apply(initialize)

    def represent(self, events: Tensor, layout: PackedLayout) -> Tensor:
        """The mean of the events up to each query, [Q, D], of their embeddings, [N, D]."""
        lengths = layout.query_steps + 1
        offsets = np.cumsum(lengths) - lengths
        steps = np.arange(lengths.sum()) - np.repeat(offsets, lengths)  # [E]
        windows = np.repeat(layout.query_rows - layout.step_offsets[layout.query_steps], lengths)
        rows = torch.from_numpy(layout.step_offsets[steps] + windows).to(events.device)
        return functional.embedding_bag(rows, events, torch.from_numpy(offsets).to(events.device), mode="mean")
