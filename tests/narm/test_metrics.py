"""Metrics: known values, and what holds for all ranks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from narm.errors import InputError
from narm.metrics import (
    LIST_METRICS,
    METRICS,
    coverage,
    gini,
    metric_key,
    mrr,
    ndcg,
    parse_metric,
    precision,
    recall,
    summarize,
)

RANKS = st.lists(st.integers(1, 10_000), min_size=1, max_size=50).map(np.array)
UNUSED = np.array([], dtype=int)
CUTOFFS = st.integers(1, 10_000)


def test_known_values_at_ten():
    ranks = np.array([1, 2, 3, 10, 11])
    assert recall(ranks, 10).tolist() == [1, 1, 1, 1, 0]
    assert precision(ranks, 10).tolist() == [0.1, 0.1, 0.1, 0.1, 0]
    assert mrr(ranks, 10).tolist() == [1, 1 / 2, 1 / 3, 1 / 10, 0]
    assert ndcg(ranks, 10) == pytest.approx([1, 0.6309297536, 0.5, 0.2890648263, 0])


def test_a_summary_is_the_mean_over_targets_by_key():
    assert summarize(np.array([1, 4, 20]), ["Recall", "MRR"], [1, 10]) == pytest.approx(
        {"recall_at_1": 1 / 3, "recall_at_10": 2 / 3, "mrr_at_1": 1 / 3, "mrr_at_10": 1.25 / 3}
    )


def test_one_target_a_prefix_makes_hit_equal_recall():
    assert METRICS["Hit"] is METRICS["Recall"]


@given(RANKS, CUTOFFS)
def test_mrr_below_ndcg_below_recall(ranks, cutoff):
    assert (mrr(ranks, cutoff) <= ndcg(ranks, cutoff)).all()
    assert (ndcg(ranks, cutoff) <= recall(ranks, cutoff)).all()


@given(RANKS, CUTOFFS, CUTOFFS)
def test_all_but_precision_rise_with_the_cutoff(ranks, one, other):
    low, high = sorted((one, other))
    for metric in (recall, mrr, ndcg):
        assert (metric(ranks, low) <= metric(ranks, high)).all()


@given(RANKS, CUTOFFS)
def test_a_better_rank_is_never_worse(ranks, cutoff):
    better = np.maximum(ranks - 1, 1)
    for metric in METRICS.values():
        assert (metric(better, cutoff) >= metric(ranks, cutoff)).all()


@given(RANKS, CUTOFFS)
def test_values_are_shares(ranks, cutoff):
    for metric in METRICS.values():
        values = metric(ranks, cutoff)
        assert values.dtype == np.float64
        assert ((values >= 0) & (values <= 1)).all()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MRR@10", ("MRR", 10)),
        ("recall@20", ("Recall", 20)),
        (" ndcg @ 5 ", ("NDCG", 5)),
        ("HIT@1", ("Hit", 1)),
    ],
)
def test_metrics_are_spelled_as_recbole_does_in_any_case(text, expected):
    assert parse_metric(text) == expected


@pytest.mark.parametrize("text", ["", "MRR", "MRR@", "MRR@0", "MRR@-1", "MRR@1.5", "MRR@ten", "AUC@10", "@10", "MRR@²"])
def test_anything_else_is_no_metric(text):
    with pytest.raises(InputError, match="is not a metric: write one of Recall, MRR, NDCG, Hit, Precision"):
        parse_metric(text)


def test_keys_have_no_sign_that_mlflow_refuses():
    assert metric_key("Recall", 20) == "recall_at_20"


@pytest.mark.parametrize("name", LIST_METRICS)
def test_a_metric_of_lists_says_why_it_is_no_objective(name):
    with pytest.raises(InputError, match=rf"^'{name}@10' cannot choose between models: {name} is of a whole set of li"):
        parse_metric(f"{name}@10")


def test_items_shown_alike_are_not_concentrated():
    assert gini(np.array([9, 5, 5, 5]), UNUSED, UNUSED) == 0  # the padding is no item
    assert coverage(np.array([9, 5, 0, 5]), UNUSED, UNUSED) == pytest.approx(2 / 3)


def test_the_gini_index_is_half_the_relative_mean_difference():
    shown = np.random.default_rng(0).integers(0, 100, 30)
    items = shown[1:].astype(float)
    expected = np.abs(items[:, None] - items).mean() / (2 * items.mean())
    assert gini(shown, UNUSED, UNUSED) == pytest.approx(expected)
