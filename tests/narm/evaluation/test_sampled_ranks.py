"""Ranks among sampled negatives are distributed as if the negatives had been scored."""

from __future__ import annotations

import numpy as np
import pytest

from narm.errors import InputError
from narm.evaluation.sampled_ranks import sampled_key, sampled_ranks


def test_they_are_those_of_negatives_drawn_and_compared():
    rng = np.random.default_rng(0)
    rank, n_items, n_negatives = 30, 101, 20
    others = np.arange(1, n_items - 1)  # the 29 first of the 99 score higher
    compared = [1 + (rng.choice(others, n_negatives, replace=False) < rank).sum() for _ in range(20_000)]
    found = sampled_ranks(np.full(20_000, rank), n_items=n_items, n_negatives=n_negatives, seed=1)
    expected, actual = (np.bincount(ranks, minlength=22) / 20_000 for ranks in (compared, found))
    assert np.abs(expected - actual).max() < 0.02


def test_all_others_as_negatives_give_the_rank_itself():
    ranks = np.array([1, 5, 9])
    assert sampled_ranks(ranks, n_items=10, n_negatives=8, seed=0).tolist() == [1, 5, 9]


def test_more_negatives_than_items_are_refused():
    with pytest.raises(InputError, match="sampled_negatives: 9: a target has 8 other items"):
        sampled_ranks(np.array([1]), n_items=10, n_negatives=9, seed=0)


def test_the_key_says_what_it_is():
    assert sampled_key("recall_at_10", 100) == "recall_at_10_sampled_100"
