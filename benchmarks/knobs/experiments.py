"""Candidates that are no option of narm: code around its model and its losses, by the name of an option of theirs.

What earns its place moves into narm, and its entry here goes. Q targets, N events, V items, M distinct negatives,
D embedding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from narm.config import TrainingConfig
from narm.data.packing import PackedBatch, PackedLayout
from narm.losses import functional as losses
from narm.losses.step_loss import StepLoss
from narm.model import NARM, SessionEncoder, initialize


class EventDropout(nn.Module):
    """Drops whole events: of some rows [N, D] every value is 0, and the others grow as in dropout.

    Tan, Xu & Liu, "Improved recurrent neural networks for session-based recommendations", DLRS 2016.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, events: Tensor) -> Tensor:
        """Drop some events while training, none at evaluation."""
        return events * functional.dropout(events.new_ones(len(events), 1), self.p, self.training)


class SeparateOutput(NARM):
    """NARM that reads events by embeddings of their own; `item_embedding` only scores the items.

    GRU4Rec's; Inan, Khosravi & Socher, ICLR 2017, and Press & Wolf, EACL 2017, have reasons for the contrary.
    """

    def __init__(self, model: NARM) -> None:
        super().__init__(model.n_items, model.config)
        self.input_embedding = nn.Embedding(self.n_items, self.config.embedding_size, padding_idx=0)  # [V, D]
        initialize(self.input_embedding)

    def encode(self, items: Tensor, layout: PackedLayout) -> Tensor:
        """Represent the session as it stood at each query, [Q, D]."""
        return self.encode_embedded(self.input_embedding.weight.index_select(0, items), layout)


def before_dropout(make: Callable[[Any], nn.Module]) -> Callable[[NARM, Any], NARM]:
    """A change to NARM: what is made of the option's value comes before the dropout of the embeddings."""

    def change(model: NARM, value: Any) -> NARM:
        model.add_module("emb_dropout", nn.Sequential(make(value), model.emb_dropout))
        return model

    return change


def scale_embeddings(model: NARM, factor: float) -> NARM:
    """Scale the initial item embeddings."""
    with torch.no_grad():
        model.item_embedding.weight.mul_(factor)
    return model


def softmax_of_encoded(training: TrainingConfig, counts: NDArray[np.int64], _: Any) -> StepLoss:
    """The softmax of `loss_type`, full or sampled, for a model whose events are no rows of the items' embedding."""
    sampler = losses.SharedNegatives(counts, training.softmax_samples, training.softmax_alpha)

    def full(model: SessionEncoder, batch: PackedBatch) -> Tensor:
        return losses.full_softmax(model.encode(batch.items, batch.layout), model.item_vectors(), batch.targets)

    def sampled(model: SessionEncoder, batch: PackedBatch) -> Tensor:
        needed, places = torch.unique(torch.cat([batch.targets, sampler.draw()]), return_inverse=True)
        targets, negatives = places[: len(batch)], places[len(batch) :]
        hidden = model.encode(batch.items, batch.layout)
        rows = model.item_vectors(model.item_embedding.weight.index_select(0, needed))
        return losses.sampled_softmax(hidden, rows, targets, negatives, sampler.log_q[needed])

    return sampled if training.loss_type == "sampled_softmax" else full


def bpr_max(training: TrainingConfig, counts: NDArray[np.int64], penalty: float) -> StepLoss:
    """BPR-max of Hidasi & Karatzoglou, "Recurrent neural networks with top-k gains", CIKM 2018, eq. 10.

    -log sum_j w_j sigmoid(s_y - s_j) + penalty * sum_j w_j s_j^2, where w is the softmax of the negatives' scores s_j.
    The negatives are those of the sampled softmax; a target is no negative of its own.
    """
    sampler = losses.SharedNegatives(counts, training.softmax_samples, training.softmax_alpha)

    def step_loss(model: SessionEncoder, batch: PackedBatch) -> Tensor:
        negatives = torch.unique(sampler.draw())
        needed = torch.cat([batch.targets, negatives])
        hidden = model.encode(batch.items, batch.layout)
        rows = model.item_vectors(model.item_embedding.weight.index_select(0, needed))
        positive = (hidden * rows[: len(batch)]).sum(1, keepdim=True)  # [Q, 1]
        negative = hidden @ rows[len(batch) :].T  # [Q, M]
        is_target = batch.targets.unsqueeze(1) == negatives
        log_weights = negative.masked_fill(is_target, -torch.inf).log_softmax(1)
        gain = (log_weights + functional.logsigmoid(positive - negative)).logsumexp(1)
        return (penalty * (log_weights.exp() * negative**2).sum(1) - gain).mean()

    return step_loss


MODELS: dict[str, Callable[[NARM, Any], NARM]] = {
    "event_dropout": before_dropout(EventDropout),
    "separate_output": lambda model, _: SeparateOutput(model),
    "initial_scale": scale_embeddings,
}
"""What becomes of a new model, by the option that asks for it."""

LOSSES: dict[str, Callable[[TrainingConfig, NDArray[np.int64], Any], StepLoss]] = {
    "separate_output": softmax_of_encoded,
    "bpr_max": bpr_max,
}
"""What takes the place of narm's loss, by the option that asks for it."""

NEWEST_SHARE = "newest_share"
"""Share of the training targets to keep, the most recent; catalogue and validation stay whole."""

NAMES = {*MODELS, *LOSSES, NEWEST_SHARE}
"""Options that narm does not know."""
