"""The synthetic data have the answer they claim."""

from __future__ import annotations

import numpy as np
import pytest

from narm.data.session_log import group_events
from narm.data.synthetic import ceiling, synthetic_events


def bigram_ranks(n_items: int) -> np.ndarray:
    """Ranks of the true next items when items are ranked by how often they followed the last one."""
    sessions = group_events(synthetic_events(30_000, n_items)).sessions
    first = np.zeros(sessions.n_events, dtype=bool)
    first[sessions.offsets[:-1]] = True
    last, following = sessions.items[:-1][~first[1:]], sessions.items[1:][~first[1:]]
    counts = np.zeros((n_items, n_items))
    np.add.at(counts, (last, following), 1)
    ranks = np.empty_like(counts, dtype=np.int64)
    ranks[np.arange(n_items)[:, None], np.argsort(-counts, axis=1)] = np.arange(1, n_items + 1)
    return ranks[last, following]


@pytest.mark.parametrize("cutoff", [1, 5])
def test_the_ceiling_is_what_the_true_chain_reaches(cutoff):
    ranks = bigram_ranks(20)
    found = ranks <= cutoff
    recall, mrr = ceiling(cutoff, 20)
    assert found.mean() == pytest.approx(recall, abs=0.01)
    assert (found / ranks).mean() == pytest.approx(mrr, abs=0.01)


def test_the_same_seed_gives_the_same_sessions_and_another_does_not():
    first, again, other = (synthetic_events(50, 10, seed) for seed in (1, 1, 2))
    assert first.item_ids.equals(again.item_ids)
    assert (first.items == again.items).all()
    assert len(first) != len(other) or (first.items != other.items).any()


def test_sessions_follow_one_another_in_time():
    log = group_events(synthetic_events(200, 10))
    assert (log.starts[1:] > log.ends[:-1]).all()
    assert set(log.sessions.lengths) == set(range(3, 10))
