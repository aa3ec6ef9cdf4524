"""Metrics by slice, against a recomputation of one target at a time."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from support.ring import random_sessions

from narm.data.sessions import Examples
from narm.evaluation.slices import metrics_by_slice, popularity_classes


def label(number: int) -> str:
    if number <= 5:
        return str(number)
    bounds = [(6, 10), (11, 20), (21, 50), (51, 100)]
    return next((f"{low}-{high}" for low, high in bounds if low <= number <= high), "101+")


@pytest.fixture(scope="module")
def examples() -> Examples:
    return Examples.every_prefix(random_sessions(60, 40, 130, seed=3))


def test_each_slice_has_the_metrics_of_its_targets(examples):
    rng = np.random.default_rng(0)
    ranks = rng.integers(1, 30, len(examples))
    train_counts = rng.integers(0, 50, 40)
    classes = popularity_classes(train_counts)
    expected = defaultdict(list)
    for target, rank in zip(examples.targets, ranks, strict=True):
        session = next(s for s in range(len(examples.sessions)) if target < examples.sessions.offsets[s + 1])
        start, end = examples.sessions.offsets[session : session + 2]
        popularity = ("head", "mid", "tail")[classes[examples.sessions.items[target]]]
        for key in (
            ("all", "all"),
            ("session length", label(end - start)),
            ("position", label(target - start)),
            ("popularity", popularity),
        ):
            expected[key].append((session, rank))

    found = metrics_by_slice(ranks, examples, train_counts, metrics=["MRR", "Recall"], cutoffs=[5, 10], seed=1)
    assert {(each.by, each.name) for each in found} == set(expected)
    assert (found[0].by, found[0].name) == ("all", "all")
    for each in found:
        targets = expected[each.by, each.name]
        assert each.n_targets == len(targets)
        assert each.n_sessions == len({session for session, _ in targets})
        assert list(each.metrics) == ["mrr_at_5", "mrr_at_10", "recall_at_5", "recall_at_10"]
        assert each.metrics["recall_at_10"] == pytest.approx(np.mean([rank <= 10 for _, rank in targets]))
        assert each.metrics["mrr_at_5"] == pytest.approx(np.mean([(rank <= 5) / rank for _, rank in targets]))
        assert set(each.intervals) == (set(each.metrics) if each.n_sessions >= 10 else set())
        for key, (low, high) in each.intervals.items():
            assert low <= each.metrics[key] <= high
    assert any(not each.intervals for each in found)


def test_slices_ascend_within_their_dimension(examples):
    found = metrics_by_slice(
        np.ones(len(examples), dtype=np.int64),
        examples,
        np.arange(40),
        metrics=["Recall"],
        cutoffs=[10],
        resamples=10,
        seed=1,
    )
    names = [each.name for each in found if each.by == "position"]
    assert names == ["1", "2", "3", "4", "5", "6-10", "11-20", "21-50", "51-100", "101+"]
    assert [each.name for each in found if each.by == "popularity"] == ["head", "mid", "tail"]


def test_head_mid_and_tail_have_a_third_of_the_events_each():
    #          padding, head has 6 of 15, then 3 + 3 of the next third, the rest is tail
    counts = np.array([0, 1, 3, 6, 3, 2, 0])
    assert popularity_classes(counts)[1:].tolist() == [2, 1, 0, 1, 2, 2]


def test_items_of_equal_count_are_in_one_class():
    assert popularity_classes(np.full(10, 7)).tolist() == [0] * 10
    assert popularity_classes(np.zeros(4, dtype=np.int64)).tolist() == [2] * 4
