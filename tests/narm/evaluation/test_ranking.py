"""Ranks and best items, streamed, against the whole matrix of scores."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from narm.evaluation import ranking
from narm.evaluation.ranking import best_items, ranks_and_top_items, ranks_by_scores, target_ranks, top_k
from narm.kernels.compile import compiled
from narm.machine.tiles import TileSize

SHAPES = [(1, 2, 1), (7, 13, 3), (70, 101, 17), (300, 700, 5)]  # Q, V, D


@pytest.fixture(params=[TileSize(256, 512), TileSize(32, 7)], ids=["large tiles", "small tiles"], autouse=True)
def _tiles(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "tile_size", lambda n_items, element_size: request.param)


def problem(n_rows: int, n_items: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Small integers, whose products are exact: there are ties, and all ways to multiply see them."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randint(-3, 4, (n_rows, width), generator=generator).float()
    weight = torch.randint(-3, 4, (n_items, width), generator=generator).float()
    weight[0] = 100  # the padding would often be first
    return hidden, weight, torch.randint(1, n_items, (n_rows,), generator=generator)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_rank_counts_the_other_items_that_score_as_high(shape: tuple[int, int, int]) -> None:
    hidden, weight, targets = problem(*shape)
    scores = hidden @ weight.T
    expected = [
        1 + sum(row[item] >= row[target] for item in range(1, len(row)) if item != target)
        for row, target in zip(scores.tolist(), targets.tolist(), strict=True)
    ]
    ranks = target_ranks(hidden, weight, targets)
    assert ranks.dtype == torch.int64
    assert ranks.tolist() == expected


@pytest.mark.parametrize("width", [1, 3, 64, 100])
@pytest.mark.parametrize("n_rows", [1, 2, 45, 257])
@pytest.mark.parametrize("n_items", [2, 18, 701, 1200])
def test_a_constant_scorer_ranks_every_target_last(n_items: int, n_rows: int, width: int) -> None:
    generator = torch.Generator().manual_seed(width)
    weight = torch.randn(1, width, generator=generator).expand(n_items, -1).contiguous()
    hidden = torch.randn(n_rows, width, generator=generator)
    targets = torch.randint(1, n_items, (n_rows,), generator=generator)
    assert target_ranks(hidden, weight, targets).tolist() == [n_items - 1] * n_rows


def test_threads_do_not_change_ranks() -> None:
    hidden, weight, targets = problem(300, 700, 5)
    one = target_ranks(hidden, weight, targets)
    torch.set_num_threads(2)
    assert torch.equal(target_ranks(hidden, weight, targets), one)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_best_items_are_those_of_the_whole_matrix(shape: tuple[int, int, int]) -> None:
    generator = torch.Generator().manual_seed(1)
    hidden, weight = (torch.randn(n, shape[2], generator=generator) for n in shape[:2])
    k = min(20, shape[1] - 1)
    scores, items = top_k(hidden, weight, k)
    expected = torch.topk((hidden @ weight.T)[:, 1:], k)
    torch.testing.assert_close(scores, expected.values)
    assert torch.equal(items, expected.indices + 1)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_of_equal_scores_the_lower_item_comes_first(shape: tuple[int, int, int]) -> None:
    hidden, weight, _ = problem(*shape)
    k = min(20, shape[1] - 1)
    scores, items = top_k(hidden, weight, k)
    for row, best in zip((hidden @ weight.T).tolist(), items.tolist(), strict=True):
        assert best == sorted(range(1, shape[1]), key=lambda item: -row[item])[:k]
    assert torch.equal(scores, (hidden @ weight.T).gather(1, items))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_ranks_and_best_items_from_one_product_are_those_from_two(shape: tuple[int, int, int]) -> None:
    hidden, weight, targets = problem(*shape)
    k = min(20, shape[1] - 1)
    ranks, items = ranks_and_top_items(hidden, weight, targets, k)
    assert torch.equal(ranks, target_ranks(hidden, weight, targets))
    assert torch.equal(items, top_k(hidden, weight, k)[1])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_without_the_kernel_the_best_items_are_the_same(shape: tuple[int, int, int], monkeypatch) -> None:
    hidden, weight, _ = problem(*shape)
    k = min(20, shape[1] - 1)
    scores, items = top_k(hidden, weight, k)
    monkeypatch.setenv("NARM_KERNELS", "off")
    compiled.cache_clear()
    reference = top_k(hidden, weight, k)
    compiled.cache_clear()
    assert torch.equal(scores, reference[0])
    assert torch.equal(items, reference[1])


def test_threads_do_not_change_the_best_items() -> None:
    hidden, weight, _ = problem(300, 700, 5)
    one = top_k(hidden, weight, 9)
    torch.set_num_threads(2)
    for expected, found in zip(one, top_k(hidden, weight, 9), strict=True):
        assert torch.equal(expected, found)


def test_ranks_by_given_scores_are_those_of_the_representations() -> None:
    hidden, weight, targets = problem(70, 101, 17)
    assert torch.equal(ranks_by_scores(hidden @ weight.T, targets), target_ranks(hidden, weight, targets))
    with pytest.raises(FloatingPointError, match="NaN or overflow"):
        ranks_by_scores(torch.tensor([[0.0, 1.0, torch.nan]]), torch.tensor([1]))


def test_a_barred_item_comes_last_and_no_number_is_an_error() -> None:
    scores = torch.tensor([[0.0, -torch.inf, 2.0]])
    assert best_items(scores, 3)[1].tolist() == [[2, 0, 1]]
    for number in (torch.nan, torch.inf):
        scores[0, 1] = number
        with pytest.raises(FloatingPointError, match="NaN or overflow"):
            best_items(scores, 2)


def test_no_rows_have_no_ranks() -> None:
    hidden, weight = torch.empty(0, 4), torch.randn(9, 4)
    assert target_ranks(hidden, weight, torch.empty(0, dtype=torch.int64)).shape == (0,)
    assert [tensor.shape for tensor in top_k(hidden, weight, 3)] == [(0, 3), (0, 3)]


@pytest.mark.parametrize("number", [torch.nan, torch.inf, 1e30])
@pytest.mark.parametrize("place", ["hidden", "weight"])
def test_scores_that_are_no_numbers_are_an_error(number: float, place: str) -> None:
    hidden, weight, targets = problem(40, 50, 3)
    hidden[0] = weight[1] = 1e10
    (hidden if place == "hidden" else weight)[5, 1] = number
    for call in (lambda: target_ranks(hidden, weight, targets), lambda: top_k(hidden, weight, 3)):
        with pytest.raises(FloatingPointError, match="NaN or overflow"):
            call()


@pytest.mark.parametrize("target", [-1, 0, 50])
def test_a_target_that_is_no_item_is_refused(target: int) -> None:
    hidden, weight, _ = problem(1, 50, 3)
    with pytest.raises(ValueError, match=r"items in 1\.\.49"):
        target_ranks(hidden, weight, torch.tensor([target]))


@pytest.mark.parametrize("k", [0, 50])
def test_a_list_longer_than_the_catalogue_is_refused(k: int) -> None:
    hidden, weight, _ = problem(1, 50, 3)
    with pytest.raises(ValueError, match=r"k is \d+; it must lie in 1\.\.49"):
        top_k(hidden, weight, k)
