"""Recommendations: the best of the model's scores, in raw ids, whatever stands beside in the batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from narm import recommending
from narm.build_model import build_model
from narm.checkpoint import load_model, save_checkpoint
from narm.config import Config, ModelConfig
from narm.data.sessions import Examples, ItemVocabulary, Sessions
from narm.errors import InputError
from narm.model import NARM
from narm.recommending import Recommender
from narm.training import create_model, fit

N_ITEMS = 30
IDS = np.arange(100, 100 + N_ITEMS - 1)
ROUNDING = {"rel": 1e-4, "abs": 1e-6}  # of scores that stand in another batch


@pytest.fixture
def recommender() -> Recommender:
    torch.manual_seed(0)
    model = NARM(N_ITEMS, ModelConfig(embedding_size=8, hidden_size=9)).eval()
    return Recommender(model, ItemVocabulary(IDS), max_length=5)


class Constant:
    """Scores all items alike."""

    n_items = N_ITEMS

    def scores(self, prefixes: Tensor, lengths: Tensor) -> Tensor:
        return torch.full((len(lengths), N_ITEMS), 0.25)


def random_raw_sessions(n: int) -> list[list[int]]:
    rng = np.random.default_rng(0)
    return [rng.choice(IDS, rng.integers(1, 12)).tolist() for _ in range(n)]


def test_the_best_are_those_of_the_models_scores(recommender):
    sessions = random_raw_sessions(40)
    for session, found in zip(sessions, recommender.recommend(sessions, k=7), strict=True):
        seen = torch.tensor([session[-5:]]) - 99  # raw id 100 is item 1
        with torch.no_grad():
            scores = recommender.model.scores(seen, torch.tensor([seen.shape[1]]))[0]
        expected = sorted(range(1, N_ITEMS), key=lambda item: -float(scores[item]))[:7]
        assert list(found.items) == [item + 99 for item in expected]
        assert found.scores == pytest.approx(scores[expected].tolist(), **ROUNDING)
        assert (found.unknown, found.reason) == ((), None)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_the_batch_changes_nothing(recommender, monkeypatch, size):
    sessions = [*random_raw_sessions(20), [], ["never seen"]]
    alone = [recommender.recommend([session], k=4)[0] for session in sessions]
    monkeypatch.setattr(recommending, "_MAX_BATCH", size)
    for one, of_many in zip(alone, recommender.recommend(sessions, k=4), strict=True):
        assert one.items == of_many.items
        assert one.scores == pytest.approx(of_many.scores, **ROUNDING)
        assert (one.unknown, one.reason) == (of_many.unknown, of_many.reason)


def test_unknown_items_are_as_if_they_had_not_happened(recommender):
    clean, mixed = recommender.recommend([[101, 105, 103], [7, 101, "x", 105, 103, 99]], k=5)
    assert clean.items == mixed.items
    assert clean.scores == pytest.approx(mixed.scores, **ROUNDING)
    assert mixed.unknown == (7, "x", 99)


def test_a_session_without_known_items_gets_none_and_the_reason(recommender):
    unknown, empty = recommender.recommend([["x", 7], []])
    assert (unknown.items, unknown.unknown, unknown.reason) == ((), ("x", 7), "no item of the session is known")
    assert (empty.items, empty.reason) == ((), "the session is empty")
    assert recommender.recommend([]) == []


def test_raw_ids_may_be_text(recommender):
    number, text = recommender.recommend([[101, 105], ["101", "105"]], k=3)
    assert number.items == text.items
    assert number.scores == pytest.approx(text.scores, **ROUNDING)


def test_of_equal_scores_the_lower_item_comes_first():
    constant = Recommender(Constant(), ItemVocabulary(IDS), max_length=5)
    assert constant.recommend([[110]], k=3)[0].items == (100, 101, 102)
    assert constant.recommend([[101, 100]], k=3, exclude_seen=True)[0].items == (102, 103, 104)


def test_seen_items_are_left_out_when_asked_for(recommender):
    sessions = random_raw_sessions(30)
    every = recommender.recommend(sessions, k=N_ITEMS)
    for session, all_items, unseen in zip(
        sessions, every, recommender.recommend(sessions, k=5, exclude_seen=True), strict=True
    ):
        assert len(all_items.items) == N_ITEMS - 1
        assert list(unseen.items) == [item for item in all_items.items if item not in session][:5]
    whole = recommender.recommend([IDS.tolist()], exclude_seen=True)[0]
    assert (whole.items, whole.reason) == ((), "every item of the catalogue is in the session")


def test_a_list_without_items_is_refused(recommender):
    with pytest.raises(ValueError, match="k is 0"):
        recommender.recommend([[101]], k=0)


def test_a_model_that_diverged_recommends_nothing(recommender):
    with torch.no_grad():
        recommender.model.item_embedding.weight[5] = torch.nan
    with pytest.raises(FloatingPointError, match="diverged"):
        recommender.recommend([[101]])


def test_a_checkpoint_recommends_what_follows_on_the_ring(ring_splits, tmp_path):
    config = Config.from_flat(
        embedding_size=16, hidden_size=16, epochs=8, learning_rate=0.02, train_batch_size=64, max_item_list_length=6
    )
    for epoch in fit(create_model(20, config), ring_splits, config.training, config.evaluation, device="cpu"):
        save_checkpoint(tmp_path / "run.pt", epoch.state, config=config, splits=ring_splits)
    loaded = Recommender.load(tmp_path / "run.pt")
    assert loaded.max_length == 6
    found = loaded.recommend([[105, 106, 107], [118, 119]], k=1)
    assert [recommendation.items for recommendation in found] == [(108,), (101,)]
    model = load_model(tmp_path / "run.pt")
    with torch.no_grad():
        best = float(model.scores(torch.tensor([[5, 6, 7]]), torch.tensor([3])).max())
    assert found[0].scores == pytest.approx((best,), **ROUNDING)


def test_what_is_no_checkpoint_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such checkpoint"):
        Recommender.load(Path(tmp_path / "none.pt"))


TRAIN = [[1, 2, 3], [4, 2], [5, 6]]  # nothing follows 3; 7 is in no session
RULES = {"sr": "nothing in train followed its last known item", "item_knn": "nothing in train occurred with its last"}
NEIGHBORS = dict.fromkeys(("s_knn", "v_sknn", "stan", "vstan"), "it has no neighbour in train")


def counting(model: str) -> Recommender:
    """A baseline that has learned `TRAIN`; raw id 101 is item 1."""
    items = np.concatenate(TRAIN).astype(np.int32)
    sessions = Sessions(items, np.cumsum([0, *map(len, TRAIN)]))
    baseline = build_model(N_ITEMS, Config.from_flat(model=model))
    baseline.learn(Examples.every_prefix(sessions))
    return Recommender(baseline, ItemVocabulary(IDS + 1), max_length=5)


def test_rules_recommend_what_followed_and_nothing_else():
    followed, nothing, known = counting("sr").recommend([[101], [103], [102]])
    assert (followed.items, followed.reason) == ((102, 103), None)
    assert (nothing.items, nothing.scores, nothing.reason) == ((), (), RULES["sr"])
    assert known.items == (103,)


@pytest.mark.parametrize("model", ["item_knn", *NEIGHBORS])
def test_items_of_score_0_are_no_answer(model):
    found = counting(model).recommend([[101], [105]], k=N_ITEMS)
    own = model in NEIGHBORS  # a neighbour recommends the item that it shares, too
    assert set(found[0].items) == ({101, 102, 103} if own else {102, 103})
    assert set(found[1].items) == ({105, 106} if own else {106})
    assert all(score > 0 for one in found for score in one.scores)


@pytest.mark.parametrize(("model", "reason"), (RULES | NEIGHBORS).items())
def test_the_reason_is_given_when_nothing_is_left(model, reason):
    unseen_in_train, all_seen = counting(model).recommend([[107], [106, 105]], exclude_seen=True)
    assert unseen_in_train.items == ()
    assert unseen_in_train.reason.startswith(reason)
    assert (all_seen.items, all_seen.reason) == ((), "every item that train has for it is in the session")


@pytest.mark.parametrize("model", ["pop", "s_pop"])
def test_what_is_popular_may_score_0(model):
    assert len(counting(model).recommend([[107]], k=N_ITEMS)[0].items) == N_ITEMS - 1


def test_an_integer_with_a_point_is_the_same_item():
    numbers, texts = ItemVocabulary(np.array([26, 7])), ItemVocabulary(np.array(["26", "1.0"]))
    assert [numbers.index(raw) for raw in (26, "26", 26.0, "26.0", "7.00", "26.5", "26.", ".0")] == [
        *(1, 1, 1, 1, 2),
        *(None, None, None),
    ]
    assert [texts.index(raw) for raw in ("26.0", "1.0")] == [None, 2]
