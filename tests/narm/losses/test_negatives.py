"""Negatives are drawn as RecBole draws them: anything but the row's own target, by the right weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from narm.config import NegativeSampling
from narm.losses.negatives import hardest, negative_sampler


@pytest.mark.parametrize("distribution", ["uniform", "popularity"])
def test_a_negative_is_never_the_target_nor_padding(distribution):
    torch.manual_seed(0)
    counts = np.array([0, 5, 1, 3, 9])
    draw = negative_sampler(NegativeSampling(distribution=distribution), counts)
    targets = torch.randint(1, 5, (5000, 2))
    drawn = draw(targets)
    assert (drawn != targets).all()
    assert set(drawn.unique().tolist()) == {1, 2, 3, 4}


@pytest.mark.parametrize(
    ("args", "weights"),
    [
        (NegativeSampling(), [1, 1, 1, 1]),
        (NegativeSampling(distribution="popularity"), [5, 1, 3, 9]),
        (NegativeSampling(distribution="popularity", alpha=0.5), [5**0.5, 1, 3**0.5, 3]),
        (NegativeSampling(distribution="popularity", alpha=0), [1, 1, 1, 1]),
    ],
)
def test_the_frequencies_follow_the_distribution_without_the_target(args, weights):
    torch.manual_seed(0)
    drawn = negative_sampler(args, np.array([0, 5, 1, 3, 9]))(torch.full((60_000,), 4))
    frequencies = np.bincount(drawn.numpy(), minlength=5)[1:4] / 60_000
    np.testing.assert_allclose(frequencies, np.array(weights[:3]) / sum(weights[:3]), atol=0.01)


def test_an_item_that_is_never_a_target_is_never_drawn_by_popularity():
    draw = negative_sampler(NegativeSampling(distribution="popularity"), np.array([0, 5, 0, 3, 9]))
    assert 2 not in draw(torch.full((10_000,), 4))


def test_dynamic_keeps_the_best_scoring_candidate():
    embeddings = torch.tensor([[0.0], [1.0], [5.0], [-2.0]])
    candidates = torch.tensor([[[1, 2, 3], [1, 3, 3]]])
    assert hardest(candidates, torch.tensor([[1.0]]), embeddings).tolist() == [[2, 1]]
    assert hardest(candidates, torch.tensor([[-1.0]]), embeddings).tolist() == [[3, 3]]


@pytest.mark.parametrize(
    ("args", "counts"),
    [
        (NegativeSampling(), [0, 5]),
        (NegativeSampling(distribution="popularity"), [0, 5, 0]),
    ],
)
def test_a_lone_item_has_no_negative(args, counts):
    with pytest.raises(ValueError, match="two items"):
        negative_sampler(args, np.array(counts))
