"""What a training step minimises: a batch and the model in, a scalar loss out.

Q targets of the batch, D embedding, V items, U of them in a step.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narm.config import TrainingConfig
from narm.data.packing import PackedBatch
from narm.data.sessions import Examples
from narm.errors import InputError
from narm.losses import functional as losses
from narm.losses.negatives import hardest, negative_sampler
from narm.model import SessionEncoder

StepLoss = Callable[[SessionEncoder, PackedBatch], Tensor]
"""From the model and a batch to the mean loss of its targets, a scalar."""


def build_step_loss(config: TrainingConfig, train: Examples, n_items: int) -> StepLoss:
    """The loss that `loss_type` names, as a function of the model and a batch.

    Raises:
        InputError: there are too few items to draw negatives from.
    """
    counts = np.bincount(train.target_items, minlength=n_items)
    try:
        return LOSSES[config.loss_type](config, counts)
    except ValueError as error:
        raise InputError(f"loss_type {config.loss_type}: {error}") from None


def _full_softmax(config: TrainingConfig, counts: NDArray[np.int64]) -> StepLoss:
    def step_loss(model: SessionEncoder, batch: PackedBatch) -> Tensor:
        hidden = model.encode(batch.items, batch.layout)
        return losses.full_softmax(
            hidden,
            model.item_embedding.weight,
            batch.targets,
            unit_items=model.scoring.has_unit_items,
            smoothing=config.label_smoothing,
        )

    return step_loss


def _sampled_softmax(config: TrainingConfig, counts: NDArray[np.int64]) -> StepLoss:
    sampler = losses.SharedNegatives(counts, config.softmax_samples, config.softmax_alpha)

    def step_loss(model: SessionEncoder, batch: PackedBatch) -> Tensor:
        drawn = sampler.draw().to(batch.items.device)
        needed, (events, targets, negatives) = _needed_items(batch.items, batch.targets, drawn)
        rows = model.item_embedding.weight.index_select(0, needed)
        hidden = model.encode_embedded(rows.index_select(0, events), batch.layout)
        log_q = sampler.log_q.to(needed.device)[needed]
        return losses.sampled_softmax(
            hidden, model.item_vectors(rows), targets, negatives, log_q, smoothing=config.label_smoothing
        )

    return step_loss


def _bpr(config: TrainingConfig, counts: NDArray[np.int64]) -> StepLoss:
    args = config.negative_sampling
    draw = negative_sampler(args, counts)
    shape = (args.sample_num, args.candidate_num) if args.dynamic else (args.sample_num,)

    def step_loss(model: SessionEncoder, batch: PackedBatch) -> Tensor:
        targets = batch.targets.cpu()
        drawn = draw(targets.reshape(-1, *[1] * len(shape)).expand(-1, *shape).contiguous()).to(batch.targets.device)
        negatives = hardest(drawn, *_without_dropout(model, batch)) if args.dynamic else drawn  # [Q, S]
        needed, (events, positives, others) = _needed_items(batch.items, batch.targets, negatives)
        rows = model.item_embedding.weight.index_select(0, needed)
        hidden = model.encode_embedded(rows.index_select(0, events), batch.layout)
        vectors = model.item_vectors(rows)
        positive = (hidden * vectors.index_select(0, positives)).sum(1, keepdim=True)  # [Q, 1]
        negative = torch.einsum("qsd,qd->qs", vectors.index_select(0, others.flatten()).view(*others.shape, -1), hidden)
        return losses.bpr(positive.expand_as(negative), negative)

    return step_loss


def _needed_items(*items: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The distinct items of a step, [U], and the place of every item among them, in the shapes given.

    Looked up once, and from there by place, they leave a single gradient of the size of the catalogue to fill,
    [V, D]: with a large catalogue such gradients, one for each lookup, are a good part of a step.
    """
    needed, places = torch.unique(torch.cat([part.flatten() for part in items]), return_inverse=True)
    split = places.split([part.numel() for part in items])
    return needed, [place.view(part.shape) for place, part in zip(split, items, strict=True)]


@torch.no_grad()
def _without_dropout(model: SessionEncoder, batch: PackedBatch) -> tuple[Tensor, Tensor]:
    """Vectors of the sessions [Q, D] as they are at evaluation, and of all items [V, D]."""
    model.eval()
    hidden = model.encode(batch.items, batch.layout)
    model.train()
    return hidden, model.item_vectors()


LOSSES: dict[str, Callable[[TrainingConfig, NDArray[np.int64]], StepLoss]] = {
    "CE": _full_softmax,
    "sampled_softmax": _sampled_softmax,
    "BPR": _bpr,
}
"""By `loss_type`: from the options, and how often each item is a target, [V], to the loss."""
