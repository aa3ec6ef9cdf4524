"""Full ranking of every example by its last events, whatever the batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from narm.config import EvaluationConfig, ModelConfig
from narm.evaluation import evaluate, rank_targets
from narm.model import NARM


@pytest.fixture
def model() -> NARM:
    torch.manual_seed(0)
    return NARM(20, ModelConfig(embedding_size=6, hidden_size=7))


def test_ranks_are_those_of_each_prefix_scored_alone(model, ring_splits):
    ranks = rank_targets(model, ring_splits.test, max_length=6, batch_size=37)
    model.eval()
    for example in range(0, len(ring_splits.test), 7):
        prefix = torch.from_numpy(ring_splits.test.prefix(example, 6).astype(np.int64))
        with torch.no_grad():
            scores = model.scores(prefix[None], torch.tensor([len(prefix)]))[0]
        target = int(ring_splits.test.target_items[example])
        assert ranks[example] == (scores > scores[target]).sum() + 1


@pytest.mark.parametrize("batch_size", [1, 10, 4096])
def test_the_batch_size_changes_nothing(model, ring_splits, batch_size):
    expected = rank_targets(model, ring_splits.test, max_length=6, batch_size=64)
    assert (rank_targets(model, ring_splits.test, max_length=6, batch_size=batch_size) == expected).all()


def test_evaluation_leaves_the_mode_of_the_model_alone(model, ring_splits):
    for training in (True, False):
        model.train(training)
        evaluate(model, ring_splits.valid, EvaluationConfig(), max_length=6)
        assert model.training is training


def test_the_cutoff_of_the_objective_is_always_reported(model, ring_splits):
    metrics = evaluate(
        model,
        ring_splits.valid,
        EvaluationConfig(topk=(5,), metrics=("Recall",), valid_metric="NDCG@7"),
        max_length=6,
    )
    assert set(metrics) == {"recall_at_5", "recall_at_7", "ndcg_at_5", "ndcg_at_7"}


def test_equal_scores_for_all_items_find_nothing(model, ring_splits):
    with torch.no_grad():
        model.item_embedding.weight.fill_(0.1)
    assert evaluate(model, ring_splits.valid, EvaluationConfig(topk=(10,)), max_length=6)["recall_at_10"] == 0
