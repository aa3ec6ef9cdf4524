"""Ranks by a model whose items are not those of the data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.ring import ring_of_items
from support.trained_runs import train_run, train_runs

from narm.bag_checkpoint import save_bag
from narm.checkpoint import load_model
from narm.data.sessions import Examples, ItemVocabulary, Sessions
from narm.evaluation.full_ranking import rank_targets
from narm.evaluation.known_items import KnownItems


def rank(model: Path, data: ItemVocabulary, examples: Examples, *, knows: ItemVocabulary | None = None) -> list[int]:
    items = KnownItems.of(data, knows or data)
    return items.rank_targets(load_model(model), examples, max_length=6, batch_size=64).tolist()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Checkpoints of small models of the ring, whose items are 101..119, by name."""
    folder, splits = tmp_path_factory.mktemp("trained"), ring_of_items()
    found = {name: train_run(folder / f"{name}.pt", splits, model=name) for name in ("narm", "bpr_mf", "s_knn")}
    save_bag(train_runs(folder, splits, seeds=[1, 2]), folder / "bag.pt")
    return found | {"bag": folder / "bag.pt"}


MODELS = ["narm", "bpr_mf", "s_knn", "bag"]


@pytest.mark.parametrize("name", MODELS)
def test_where_all_items_are_the_same_the_ranks_are_those_of_full_ranking(trained, ring_splits, name):
    expected = rank_targets(load_model(trained[name]), ring_splits.test, max_length=6, batch_size=64)
    assert rank(trained[name], ring_splits.vocabulary, ring_splits.test) == expected.tolist()


@pytest.mark.parametrize("name", MODELS)
def test_the_order_of_the_items_and_the_spelling_of_their_ids_change_nothing(trained, ring_splits, name):
    data, test = ring_splits.vocabulary, ring_splits.test
    turned = np.append(0, np.arange(1, data.n_items)[::-1]).astype(np.int32)
    other = ItemVocabulary(data.ids[::-1].astype(np.str_))
    of_data = Examples(Sessions(turned[test.sessions.items], test.sessions.offsets), test.targets)
    assert rank(trained[name], other, of_data, knows=data) == rank(trained[name], data, test)


def of_session(*items: int) -> Examples:
    return Examples.every_prefix(Sessions(np.array(items, dtype=np.int32), np.array([0, len(items)])))


NEW = ItemVocabulary(np.array([999, *range(101, 120)]))  # item 1 is new, 2..20 are those of the ring


@pytest.mark.parametrize("name", MODELS)
def test_an_event_of_an_unknown_item_is_left_out_as_when_the_model_recommends(trained, ring_splits, name):
    ring, known = ring_splits.vocabulary, ItemVocabulary(ring_splits.vocabulary.ids)
    (expected,) = rank(trained[name], ring, of_session(3, 4))
    assert rank(trained[name], NEW, of_session(4, 1, 5), knows=known)[-1] == expected


@pytest.mark.parametrize("name", MODELS)
def test_an_unknown_target_and_one_after_unknown_events_alone_have_the_worst_rank(trained, ring_splits, name):
    worst = len(NEW.ids)
    assert rank(trained[name], NEW, of_session(4, 1), knows=ring_splits.vocabulary) == [worst]
    assert rank(trained[name], NEW, of_session(1, 4), knows=ring_splits.vocabulary) == [worst]
    assert rank(trained[name], NEW, of_session(1, 1), knows=ring_splits.vocabulary) == [worst]


@pytest.mark.parametrize("name", MODELS)
def test_an_item_that_the_data_do_not_have_takes_no_place(trained, ring_splits, name):
    """Of the items that score at least as high as the target, only those of the data count."""
    few, items = ItemVocabulary(np.array([103, 104, 111])), [3, 4, 11]
    with torch.no_grad():
        scores = load_model(trained[name]).scores(torch.tensor([[3]]), torch.tensor([1]))[0]
    expected = int((scores[items] >= scores[4]).sum())
    assert rank(trained[name], few, of_session(1, 2), knows=ring_splits.vocabulary) == [expected]


@given(
    data=st.lists(st.integers(1, 30), min_size=1, unique=True),
    model=st.lists(st.integers(1, 30), min_size=1, unique=True),
)
def test_numbers_lead_from_the_data_to_the_model_for_every_item_that_both_have(data, model):
    items = KnownItems.of(ItemVocabulary(np.array(data)), ItemVocabulary(np.array(model)))
    assert len(items) == len(set(data) & set(model))
    assert items.of_data[0] == items.of_model[0] == 0
    for index, raw in enumerate(data, start=1):
        number = items.of_data[index]
        assert (number > 0) == (raw in model)
        assert number == 0 or model[items.of_model[number] - 1] == raw
