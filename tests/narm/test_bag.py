"""A bag scores by the mean of its members' scores, however it is asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from narm.bag import Bag
from narm.baselines.bpr_mf import BPRMF
from narm.config import ModelConfig
from narm.evaluation.full_ranking import rank_and_list, rank_targets
from narm.evaluation.ranking import best_items, ranks_by_scores
from narm.model import NARM

N_ITEMS = 20


def networks(count: int, scoring: str = "dot", *, size: int = 6) -> list[NARM]:
    torch.manual_seed(count)
    config = ModelConfig.model_validate({"embedding_size": size, "hidden_size": 10, "scoring": scoring})
    return [NARM(N_ITEMS, config).eval() for _ in range(count)]


PREFIXES, LENGTHS = torch.tensor([[3, 4, 5], [7, 0, 0], [19, 1, 0]]), torch.tensor([3, 1, 2])


def mean_scores(models, prefixes=PREFIXES, lengths=LENGTHS) -> torch.Tensor:
    with torch.no_grad():
        return torch.stack([model.scores(prefixes, lengths).double() for model in models]).mean(dim=0)


@given(count=st.integers(1, 5), scoring=st.sampled_from(["dot", "cosine"]), frozen=st.booleans())
def test_scores_are_the_mean_of_the_members(count, scoring, frozen):
    members = networks(count, scoring)
    bag = Bag(members)
    if frozen:
        bag.freeze_items()
    with torch.no_grad():
        scores = bag.scores(PREFIXES, LENGTHS)
    assert (scores[:, 0] == -torch.inf).all()
    torch.testing.assert_close(scores[:, 1:].double(), mean_scores(members)[:, 1:], rtol=1e-5, atol=1e-5)


def test_a_bag_of_one_is_its_member():
    (member,) = networks(1, "cosine")
    with torch.no_grad():
        assert torch.equal(Bag([member]).scores(PREFIXES, LENGTHS), member.scores(PREFIXES, LENGTHS))


def test_members_may_be_of_several_sizes_and_kinds():
    members = [*networks(1, size=4), *networks(1, "cosine", size=7), BPRMF(N_ITEMS, ModelConfig(embedding_size=5))]
    with torch.no_grad():
        scores = Bag(members).scores(PREFIXES, LENGTHS)
    torch.testing.assert_close(scores[:, 1:].double(), mean_scores(members)[:, 1:], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("scoring", ["dot", "cosine"])
def test_streamed_ranks_and_lists_are_those_of_the_mean_scores(ring_splits, scoring):
    members, test = networks(3, scoring), ring_splits.test
    ranks, lists = rank_and_list(Bag(members), test, 5, max_length=6, batch_size=64)
    prefixes = torch.zeros(len(test), 6, dtype=torch.long)
    lengths = torch.zeros(len(test), dtype=torch.long)
    for row in range(len(test)):
        prefix = test.prefix(row, 6)
        prefixes[row, : len(prefix)], lengths[row] = torch.from_numpy(prefix.astype(np.int64)), len(prefix)
    expected = mean_scores(members, prefixes, lengths)
    targets = torch.from_numpy(test.target_items.astype(np.int64))
    assert (ranks == ranks_by_scores(expected, targets).numpy()).all()
    assert (lists == best_items(expected[:, 1:], 5)[1].numpy() + 1).all()
    assert any((ranks != rank_targets(member, test, max_length=6, batch_size=64)).any() for member in members)


def test_the_weights_of_a_bag_go_into_another_one():
    members = networks(2)
    again = Bag(networks(2, size=6))
    again.load_state_dict(Bag(members).state_dict())
    assert again.n_parameters == sum(member.n_parameters for member in members)
    torch.testing.assert_close(mean_scores(again.members), mean_scores(members), rtol=0, atol=0)


def test_nothing_and_models_of_other_items_are_refused():
    other = NARM(N_ITEMS + 1, ModelConfig(embedding_size=6, hidden_size=10))
    for members in ([], [*networks(1), other]):
        with pytest.raises(ValueError, match="one or more models of the same items"):
            Bag(members)
