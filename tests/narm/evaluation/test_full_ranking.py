"""Full ranking of every example by its last events, whatever the batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from narm.config import EvaluationConfig, ModelConfig
from narm.evaluation.full_ranking import chosen_targets, evaluate, rank_and_list, rank_targets, top_items
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


class OnlyScores:
    """The same model, of which nothing is known but its scores."""

    def __init__(self, model: NARM) -> None:
        self.model, self.n_items = model.eval(), model.n_items

    def scores(self, prefixes: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        return self.model.scores(prefixes, lengths).double()


@pytest.mark.parametrize("batch_size", [7, 4096])
def test_a_model_that_only_scores_is_judged_alike(model, ring_splits, batch_size):
    for examples in (ring_splits.test, ring_splits.valid):
        settings = {"max_length": 6, "batch_size": batch_size}
        ranks, lists = rank_and_list(model, examples, 5, **settings)
        same_ranks, same_lists = rank_and_list(OnlyScores(model), examples, 5, **settings)
        assert (ranks == same_ranks).all()
        assert (lists == same_lists).all()
        assert (ranks == rank_targets(OnlyScores(model), examples, **settings)).all()
        assert (lists == top_items(model, examples, 5, **settings)).all()
        assert (lists == top_items(OnlyScores(model), examples, 5, **settings)).all()


def test_a_list_holds_the_target_at_its_rank(model, ring_splits):
    ranks, lists = rank_and_list(model, ring_splits.test, 19, max_length=6, batch_size=64)
    assert (np.take_along_axis(lists, ranks[:, None] - 1, axis=1)[:, 0] == ring_splits.test.target_items).all()


def test_the_last_target_of_each_session_alone_is_judged_when_asked_for(model, ring_splits):
    config = EvaluationConfig(eval_targets="last")
    last = chosen_targets(ring_splits.test, config)
    assert last.targets.tolist() == (ring_splits.test.sessions.offsets[1:] - 1).tolist()
    ranks = rank_targets(model, last, max_length=6, batch_size=64)
    found = evaluate(model, ring_splits.test, config, max_length=6)
    assert found["mrr_at_10"] == pytest.approx(np.where(ranks <= 10, 1 / ranks, 0).mean())
    assert chosen_targets(ring_splits.test, EvaluationConfig()) is ring_splits.test
