"""All that is said on test, from one pass."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from narm.config import EvaluationConfig, ModelConfig
from narm.evaluation.full_ranking import evaluate, rank_targets, top_items
from narm.evaluation.sampled_ranks import sampled_ranks
from narm.evaluation.test_report import report_on_test
from narm.metrics import summarize
from narm.model import NARM


@pytest.fixture
def model() -> NARM:
    torch.manual_seed(0)
    return NARM(20, ModelConfig(embedding_size=6, hidden_size=7))


def test_the_metrics_are_those_of_evaluate_and_all_of_it_is_json(model, ring_splits):
    config = EvaluationConfig(topk=(5, 10))
    judgement = report_on_test(model, ring_splits, config, seed=1)
    assert judgement.metrics == pytest.approx(evaluate(model, ring_splits.test, config, max_length=6))
    assert judgement.sampled == {}
    content = judgement.as_json()
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert list(content) == ["overall", "slices", "exposure", "sampled"]
    assert content["overall"]["n_targets"] == len(ring_splits.test)
    assert content["slices"][0]["by"] == "session length"


def test_metrics_beyond_accuracy_are_of_the_lists(model, ring_splits):
    found = report_on_test(
        model, ring_splits, EvaluationConfig(topk=(3,), valid_metric="MRR@3"), seed=1
    ).beyond_accuracy
    lists = top_items(model, ring_splits.test, 3, max_length=6, batch_size=64)
    assert found["coverage_at_3"] == len(np.unique(lists)) / 19
    assert (
        report_on_test(model, ring_splits, EvaluationConfig(topk=(50,)), seed=1).beyond_accuracy["coverage_at_50"] == 1
    )


def test_sampled_metrics_stand_beside_the_others_under_their_own_names(model, ring_splits):
    config = EvaluationConfig(sampled_negatives=7)
    judgement = report_on_test(model, ring_splits, config, seed=1)
    assert judgement.metrics == report_on_test(model, ring_splits, EvaluationConfig(), seed=1).metrics
    ranks = rank_targets(model, ring_splits.test, max_length=6, batch_size=64)
    sampled = summarize(sampled_ranks(ranks, n_items=20, n_negatives=7, seed=1), ["MRR"], [10])
    assert judgement.sampled["mrr_at_10_sampled_7"] == sampled["mrr_at_10"]
    assert all(key.endswith("_sampled_7") for key in judgement.sampled)


def test_the_last_targets_alone_are_judged_when_asked_for(model, ring_splits):
    judgement = report_on_test(model, ring_splits, EvaluationConfig(eval_targets="last"), seed=1)
    assert judgement.overall.n_targets == judgement.overall.n_sessions == len(ring_splits.test.sessions)
