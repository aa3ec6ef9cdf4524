"""A step looks up the items it needs once, and learns what it would from looking them up separately."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.ring import random_sessions
from torch.nn import functional

from narm.config import ModelConfig, TrainingConfig
from narm.data.packing import PackedBatch, pack
from narm.data.sessions import Examples
from narm.data.windows import cut_windows
from narm.losses import functional as losses
from narm.losses.negatives import negative_sampler
from narm.losses.step_loss import build_step_loss
from narm.model import NARM

N_ITEMS = 30


@pytest.fixture
def examples() -> Examples:
    return Examples.every_prefix(random_sessions(5, N_ITEMS, 9))


@pytest.fixture
def batch(examples: Examples) -> PackedBatch:
    windows = cut_windows(examples, 50, 50)
    return pack(windows, np.arange(len(windows)))


@pytest.fixture(params=["dot", "cosine"])
def model(request: pytest.FixtureRequest) -> NARM:
    torch.manual_seed(0)
    config = ModelConfig(
        embedding_size=6,
        hidden_size=8,
        dropout_probs=(0.0, 0.0),
        scoring=request.param,
        learn_temperature=request.param == "cosine",
    )
    return NARM(N_ITEMS, config).double()


def separate_lookups(loss_type: str, model: NARM, batch: PackedBatch, counts) -> torch.Tensor:
    weight = model.item_embedding.weight
    if model.config.scoring == "cosine":
        weight = functional.normalize(weight, dim=1)
    config = TrainingConfig(loss_type=loss_type, softmax_samples=8)
    if loss_type == "sampled_softmax":
        sampler = losses.SharedNegatives(counts, config.softmax_samples, config.softmax_alpha)
        negatives = sampler.draw()
        hidden = model.encode(batch.items, batch.layout)
        return losses.sampled_softmax(hidden, weight, batch.targets, negatives, sampler.log_q)
    negatives = negative_sampler(config.negative_sampling, counts)(batch.targets)
    hidden = model.encode(batch.items, batch.layout)
    return losses.bpr((hidden * weight[batch.targets]).sum(1), (hidden * weight[negatives]).sum(1))


@pytest.mark.parametrize("loss_type", ["sampled_softmax", "BPR"])
def test_one_lookup_teaches_what_separate_ones_do(loss_type, model, batch, examples):
    step_loss = build_step_loss(TrainingConfig(loss_type=loss_type, softmax_samples=8), examples, N_ITEMS)
    torch.manual_seed(1)
    loss = step_loss(model, batch)
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    torch.manual_seed(1)
    counts = np.bincount(examples.target_items, minlength=N_ITEMS)
    expected_loss = separate_lookups(loss_type, model, batch, counts)
    expected = torch.autograd.grad(expected_loss, list(model.parameters()))
    torch.testing.assert_close(loss, expected_loss)
    torch.testing.assert_close(gradients, expected)


@pytest.mark.parametrize("loss_type", ["sampled_softmax", "BPR"])
def test_a_step_has_one_gradient_of_the_catalogues_size(loss_type, model, batch, examples):
    step_loss = build_step_loss(TrainingConfig(loss_type=loss_type, softmax_samples=8), examples, N_ITEMS)
    loss = step_loss(model, batch)  # to be kept, with its graph
    pending, seen, arrivals = [loss.grad_fn], set(), 0
    while pending:
        node = pending.pop()
        for follower, _ in node.next_functions:
            arrivals += getattr(follower, "variable", None) is model.item_embedding.weight
            if follower is not None and follower not in seen:
                seen.add(follower)
                pending.append(follower)
    assert arrivals == 1
