"""The code of candidates that narm does not have."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.knobs import experiments
from benchmarks.knobs.experiments import EventDropout, SeparateOutput, bpr_max, softmax_of_encoded
from narm.config import Config
from narm.data.batches import training_batches
from narm.data.packing import PackedBatch
from narm.data.sessions import Splits
from narm.losses.functional import SharedNegatives
from narm.losses.step_loss import build_step_loss
from narm.model import NARM
from narm.training import create_model, training_windows

SMALL = {"embedding_size": 8, "hidden_size": 12, "dropout_probs": [0.0, 0.0], "softmax_samples": 6}


def small_config(**options: object) -> Config:
    return Config.from_flat({**SMALL, **options})


def small_model(splits: Splits, config: Config) -> NARM:
    model = create_model(splits.n_items, config)
    assert isinstance(model, NARM)
    return model.train()


def one_batch(splits: Splits, config: Config) -> PackedBatch:
    return next(training_batches(training_windows(splits, config.training), 40, np.random.default_rng(0)))


def counts(splits: Splits) -> np.ndarray:
    return np.bincount(splits.train.target_items, minlength=splits.n_items)


def scores(model: NARM, batch: PackedBatch) -> Tensor:
    return model.encode(batch.items, batch.layout) @ model.item_vectors().T


@pytest.fixture(params=["dot", "cosine"])
def scoring(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=["CE", "sampled_softmax"])
def config(request: pytest.FixtureRequest, scoring: str) -> Config:
    return small_config(loss_type=request.param, scoring=scoring)


def test_the_softmax_of_encoded_events_is_narms_own(ring_splits: Splits, config: Config) -> None:
    model, batch = small_model(ring_splits, config), one_batch(ring_splits, config)
    ours = softmax_of_encoded(config.training, counts(ring_splits), True)
    theirs = build_step_loss(config.training, ring_splits.train, ring_splits.n_items)
    losses = []
    for step_loss in (ours, theirs):
        torch.manual_seed(1)
        losses.append(step_loss(model, batch))
    torch.testing.assert_close(*losses)


def test_bpr_max_is_the_papers(ring_splits: Splits, scoring: str) -> None:
    config = small_config(scoring=scoring)
    model, batch = small_model(ring_splits, config), one_batch(ring_splits, config)
    torch.manual_seed(1)
    loss = bpr_max(config.training, counts(ring_splits), 0.5)(model, batch)
    torch.manual_seed(1)
    negatives = {*SharedNegatives(counts(ring_splits), 6, 0.75).draw().tolist()}
    losses = []
    for of_target, target in zip(scores(model, batch), batch.targets.tolist(), strict=True):
        others = of_target[torch.tensor(sorted(negatives - {target}))]
        weights = others.softmax(0)
        gain = (weights * torch.sigmoid(of_target[target] - others)).sum()
        losses.append(-gain.log() + 0.5 * (weights * others**2).sum())
    torch.testing.assert_close(loss, torch.stack(losses).mean())
    loss.backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters() if parameter.grad is not None)


def test_dropped_events_are_dropped_whole_and_only_while_training() -> None:
    dropout = EventDropout(0.5)
    torch.manual_seed(0)
    dropped = dropout(torch.ones(1000, 3))
    assert {*dropped.unique().tolist()} == {0.0, 2.0}
    assert torch.equal(dropped[:, 0], dropped[:, 1])
    assert dropped[:, 0].mean().item() == pytest.approx(1, abs=0.1)
    assert torch.equal(dropout.eval()(torch.ones(5, 3)), torch.ones(5, 3))


def test_events_are_dropped_before_the_dropout_of_the_embeddings(ring_splits: Splits) -> None:
    config = small_config()
    model = small_model(ring_splits, config)
    before = model.emb_dropout
    changed = experiments.MODELS["event_dropout"](model, 0.25)
    first, second = changed.emb_dropout
    assert isinstance(first, EventDropout)
    assert second is before


def test_separate_output_reads_events_by_embeddings_of_their_own(ring_splits: Splits, config: Config) -> None:
    torch.manual_seed(0)
    model, batch = SeparateOutput(small_model(ring_splits, config)), one_batch(ring_splits, config)
    before = model.encode(batch.items, batch.layout)
    with torch.no_grad():
        model.item_embedding.weight.mul_(-1)
    torch.testing.assert_close(model.encode(batch.items, batch.layout), before)
    experiments.LOSSES["separate_output"](config.training, counts(ring_splits), True)(model, batch).backward()
    assert model.input_embedding.weight.grad is not None
    assert model.item_embedding.weight.grad is not None


def test_the_scale_is_that_of_the_first_embeddings(ring_splits: Splits) -> None:
    config = small_config()
    before = small_model(ring_splits, config).item_embedding.weight
    after = experiments.MODELS["initial_scale"](small_model(ring_splits, config), 3.0).item_embedding.weight
    torch.testing.assert_close(after, 3 * before)
    assert after.requires_grad
