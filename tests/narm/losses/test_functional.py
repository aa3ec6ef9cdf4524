"""The losses as the model sees them: what is compared with what, and how negatives are drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from narm.losses.functional import SharedNegatives, bpr, full_softmax, sampled_softmax

COUNTS = np.array([9, 1, 0, 4, 16, 100])  # the padding's count must not matter


def problem(n_rows: int, n_items: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(n_rows, width, generator=generator, requires_grad=True)
    weight = torch.randn(n_items, width, generator=generator, requires_grad=True)
    return hidden, weight, torch.randint(1, n_items, (n_rows,), generator=generator)


def test_the_full_softmax_is_cross_entropy_with_the_padding_item_among_the_others() -> None:
    hidden, weight, targets = problem(50, 30, 8)
    torch.testing.assert_close(
        full_softmax(hidden, weight, targets), functional.cross_entropy(hidden @ weight.T, targets)
    )


@pytest.mark.parametrize(
    ("targets", "message"),
    [([], "targets: at least one"), ([0, 30], r"targets must lie in 0\.\.29"), ([-1], r"targets must lie in 0\.\.29")],
)
def test_targets_outside_the_catalogue_are_refused(targets: list[int], message: str) -> None:
    hidden, weight, _ = problem(len(targets), 30, 8)
    with pytest.raises(ValueError, match=message):
        full_softmax(hidden, weight, torch.tensor(targets, dtype=torch.int64))


def sampled_by_torch(hidden: Tensor, weight: Tensor, targets: Tensor, negatives: Tensor, log_q: Tensor) -> Tensor:
    """The definition: the full softmax of corrected scores, with all but the candidates masked."""
    corrected = hidden @ weight.T - log_q
    candidates = torch.zeros_like(corrected, dtype=torch.bool)
    candidates[:, negatives] = True
    candidates[torch.arange(len(targets)), targets] = True
    return functional.cross_entropy(corrected.masked_fill(~candidates, -math.inf), targets)


@pytest.mark.parametrize("n_negatives", [1, 40, 700])
def test_the_sampled_softmax_is_a_softmax_over_the_candidates(n_negatives: int) -> None:
    hidden, weight, targets = problem(60, 50, 8)
    sampler = SharedNegatives(np.arange(50), n_negatives, alpha=1)
    negatives = sampler.draw(torch.Generator().manual_seed(2))
    outcomes = []
    for loss in (sampled_softmax, sampled_by_torch):
        value = loss(hidden, weight, targets, negatives, sampler.log_q)
        outcomes.append((value, *torch.autograd.grad(value, (hidden, weight))))
    torch.testing.assert_close(*outcomes, rtol=1e-5, atol=1e-6)


def test_smoothing_spreads_a_share_of_the_target_over_the_candidates() -> None:
    hidden, weight, targets = problem(60, 50, 8)
    sampler = SharedNegatives(np.arange(50), 40, alpha=1)
    arguments = hidden, weight, targets, sampler.draw(torch.Generator().manual_seed(2)), sampler.log_q
    scores = hidden @ weight.T
    candidates = torch.zeros_like(scores, dtype=torch.bool)
    candidates[:, arguments[3]] = True
    candidates[torch.arange(60), targets] = True
    mean = scores.masked_fill(~candidates, 0).sum(1) / candidates.sum(1)
    added = 0.2 * (scores[torch.arange(60), targets] - mean).mean()
    outcomes = [
        (value, *torch.autograd.grad(value, (hidden, weight)))
        for value in (sampled_softmax(*arguments, smoothing=0.2), sampled_by_torch(*arguments) + added)
    ]
    torch.testing.assert_close(*outcomes, rtol=1e-5, atol=1e-6)


def test_only_the_drawn_items_have_a_gradient() -> None:
    hidden, weight, _ = problem(2, 50, 8)
    negatives = torch.tensor([7, 9, 7])
    loss = sampled_softmax(hidden, weight, torch.tensor([1, 9]), negatives, torch.zeros(50))
    (gradient,) = torch.autograd.grad(loss, weight)
    assert gradient.abs().sum(1).nonzero().squeeze(1).tolist() == [1, 7, 9]


def test_a_target_alone_costs_nothing() -> None:
    hidden, weight, _ = problem(2, 50, 8)
    assert sampled_softmax(hidden, weight, torch.tensor([3, 3]), torch.tensor([3, 3]), torch.zeros(50)) == 0


def test_a_large_sample_approaches_the_full_softmax() -> None:
    hidden, weight, targets = problem(200, 40, 4)
    sampler = SharedNegatives(np.arange(40) + 1, 100_000, alpha=0.75)
    sampled = sampled_softmax(hidden, weight, targets, sampler.draw(), sampler.log_q)
    torch.testing.assert_close(sampled, functional.cross_entropy(hidden @ weight[1:].T, targets - 1))


@pytest.mark.slow
def test_a_small_sample_teaches_the_scores_of_the_full_softmax() -> None:
    """Without sessions the best scores are the log of the items' frequencies, whatever the negatives are."""
    popularity = 1 / np.arange(1, 21)
    counts = np.round(np.r_[0, 1e4 * popularity]).astype(np.int64)
    sampler = SharedNegatives(counts, 8, alpha=1)
    generator = torch.Generator().manual_seed(6)
    scores = torch.zeros(21, 1, requires_grad=True)
    optimizer = torch.optim.Adam([scores], lr=0.05)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0.01, total_iters=400)
    for _ in range(400):
        targets = 1 + torch.multinomial(torch.from_numpy(popularity), 512, replacement=True, generator=generator)
        optimizer.zero_grad()
        sampled_softmax(torch.ones(512, 1), scores, targets, sampler.draw(generator), sampler.log_q).backward()
        optimizer.step()
        schedule.step()
    learned = scores.detach()[1:, 0].softmax(0).numpy()
    divergence = (popularity / popularity.sum() * np.log(popularity / popularity.sum() / learned)).sum()
    assert divergence < 0.02


def test_a_target_that_is_never_drawn_is_refused() -> None:
    hidden, weight, _ = problem(1, 6, 4)
    sampler = SharedNegatives(COUNTS, 10, alpha=1)
    with pytest.raises(ValueError, match="never drawn"):
        sampled_softmax(hidden, weight, torch.tensor([2]), sampler.draw(), sampler.log_q)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_negatives_are_drawn_by_their_popularity(alpha: float) -> None:
    n_samples = 20_000
    sampler = SharedNegatives(COUNTS, n_samples, alpha)
    q = np.array([0, 1, 0, 4**alpha, 16**alpha, 100**alpha])
    q /= q.sum()
    drawn = sampler.draw(torch.Generator().manual_seed(4)).bincount(minlength=6).numpy()
    assert drawn[[0, 2]].tolist() == [0, 0]
    np.testing.assert_allclose(drawn / n_samples, q, atol=4 * 0.5 / math.sqrt(n_samples))


def test_log_q_is_how_often_an_item_is_drawn_at_all() -> None:
    sampler = SharedNegatives(COUNTS, 5, alpha=0.5)
    generator = torch.Generator().manual_seed(7)
    presence = torch.stack([sampler.draw(generator).bincount(minlength=6) > 0 for _ in range(4000)])
    np.testing.assert_allclose(sampler.log_q.exp().numpy(), presence.double().mean(0).numpy(), atol=0.03)


def test_the_generator_decides_the_draw() -> None:
    sampler = SharedNegatives(COUNTS, 50, alpha=0.75)
    draws = [sampler.draw(torch.Generator().manual_seed(seed)).tolist() for seed in (5, 5, 6)]
    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize(
    ("counts", "n_samples", "message"),
    [([5, 0, 0], 3, "items that occur"), ([], 3, "items that occur"), ([0, 1], 0, "n_samples is 0")],
)
def test_a_sampler_without_anything_to_draw_is_refused(counts: list[int], n_samples: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SharedNegatives(np.array(counts, dtype=np.int64), n_samples, alpha=1)


def test_bpr_is_recboles() -> None:
    positive, negative = torch.tensor([1.0, -2.0, 0.0]), torch.tensor([0.5, 1.0, 100.0])
    gaps = (positive - negative).double().numpy()
    expected = -np.log(1e-10 + 1 / (1 + np.exp(-gaps))).mean()
    assert bpr(positive, negative).item() == pytest.approx(expected, rel=1e-6)
