"""Each baseline against an independent implementation: dicts and loops, straight from the formula of its paper."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from math import exp, log, log10, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from narm.build_model import build_model
from narm.config import Config
from narm.data.sessions import Examples, Sessions

N_ITEMS = 9

session = st.lists(st.integers(1, N_ITEMS - 1), min_size=2, max_size=7)
trains = st.lists(session, min_size=1, max_size=14)
prefixes = st.lists(st.integers(1, N_ITEMS - 1), min_size=1, max_size=6)
weightings = st.sampled_from(["same", "div", "linear", "quadratic", "log"])

Train = list[list[int]]
Scores = dict[int, float]

BY_STEPS: dict[str, Callable[[int], float]] = {
    "same": lambda n: 1.0,
    "div": lambda n: 1 / n,
    "linear": lambda n: max(1 - 0.1 * n, 0.0),
    "quadratic": lambda n: 1 / n**2,
    "log": lambda n: 1 / log10(n + 1.7),
}
BY_POSITION: dict[str, Callable[[int, int], float]] = {
    "same": lambda p, n: 1.0,
    "div": lambda p, n: p / n,
    "linear": lambda p, n: max(1 - 0.1 * (n - p), 0.0),
    "quadratic": lambda p, n: (p / n) ** 2,
    "log": lambda p, n: 1 / log10(n - p + 1.7),
}


def last_position(session: list[int], item: int) -> int:
    """From 1."""
    return max(p for p, other in enumerate(session, 1) if other == item)


def shared_items(prefix: list[int], session: list[int]) -> list[int]:
    """The most recent first, so that sums round alike and ties are the same."""
    return list(dict.fromkeys(item for item in reversed(prefix) if item in session))


def pop(train: Train, prefix: list[int], **_: object) -> Scores:
    return Counter(item for session in train for item in session)


def s_pop(train: Train, prefix: list[int], **_: object) -> Scores:
    popular = pop(train, prefix)
    return {item: prefix.count(item) + popular[item] / (max(popular.values()) + 1) for item in range(1, N_ITEMS)}


def item_knn(
    train: Train,
    prefix: list[int],
    *,
    item_neighbors: int,
    similarity_regularization: float,
    similarity_balance: float,
) -> Scores:
    sessions = {item: {s for s, session in enumerate(train) if item in session} for item in range(1, N_ITEMS)}
    last = prefix[-1]
    similarity = {
        item: len(sessions[last] & sessions[item])
        / (
            (len(sessions[last]) + similarity_regularization) ** similarity_balance
            * (len(sessions[item]) + similarity_regularization) ** (1 - similarity_balance)
        )
        for item in range(1, N_ITEMS)
        if item != last and sessions[last] & sessions[item]
    }
    best = sorted(similarity, key=lambda item: (-similarity[item], item))[:item_neighbors]
    return {item: similarity[item] for item in best}


def sr(train: Train, prefix: list[int], *, rule_steps: int, rule_weighting: str) -> Scores:
    scores: Scores = defaultdict(float)
    for session in train:
        for x in range(1, len(session)):
            for y in range(x):
                if session[y] == prefix[-1] and x - y <= rule_steps:
                    scores[session[x]] += BY_STEPS[rule_weighting](x - y)
    return scores


def nearest(train: Train, prefix: list[int], k: int, m: int, similarity: Callable[[int], float]) -> dict[int, float]:
    """The k most similar of the m most recent sessions that share an item; of equals, the more recent."""
    sharing = [s for s, session in enumerate(train) if set(session) & set(prefix)]
    similar = {s: similarity(s) for s in sharing[::-1][:m]}
    return {s: similar[s] for s in sorted(similar, key=lambda s: (-similar[s], -s))[:k]}


def s_knn(train: Train, prefix: list[int], *, k_neighbors: int, sample_size: int) -> Scores:
    def cosine(s: int) -> float:
        return len(shared_items(prefix, train[s])) / sqrt(len(set(train[s])) * len(set(prefix)))

    scores: Scores = defaultdict(float)
    for s, similarity in nearest(train, prefix, k_neighbors, sample_size, cosine).items():
        for item in set(train[s]):
            scores[item] += similarity
    return scores


def v_sknn(
    train: Train,
    prefix: list[int],
    *,
    k_neighbors: int,
    sample_size: int,
    position_weighting: str,
    score_weighting: str,
    idf_weight: float,
) -> Scores:
    def product(s: int) -> float:
        return sum(
            BY_POSITION[position_weighting](last_position(prefix, item), len(prefix))
            for item in shared_items(prefix, train[s])
        )

    scores: Scores = defaultdict(float)
    for s, similarity in nearest(train, prefix, k_neighbors, sample_size, product).items():
        step = next(n for n, item in enumerate(reversed(prefix), 1) if item in train[s])
        for item in set(train[s]):
            idf = log(len(train) / sum(item in session for session in train))
            scores[item] += similarity * BY_STEPS[score_weighting](step) * (1 + idf_weight * idf)
    return scores


def stan_similarity(
    train: Train, prefix: list[int], session_decay: float, recency_decay: float
) -> Callable[[int], float]:
    def similarity(s: int) -> float:
        shared = shared_items(prefix, train[s])
        weight = sum(exp((last_position(prefix, item) - len(prefix)) / session_decay) for item in shared)
        age = (len(train) - 1 - s) / len(train)
        return weight / sqrt(len(set(prefix)) * len(set(train[s]))) * exp(-age / recency_decay)

    return similarity


def stan(
    train: Train,
    prefix: list[int],
    *,
    k_neighbors: int,
    sample_size: int,
    session_decay: float,
    recency_decay: float,
    neighbor_decay: float,
) -> Scores:
    similarity = stan_similarity(train, prefix, session_decay, recency_decay)
    scores: Scores = defaultdict(float)
    for s, similar in nearest(train, prefix, k_neighbors, sample_size, similarity).items():
        shared = shared_items(prefix, train[s])[0]
        for item in set(train[s]):
            between = abs(last_position(train[s], item) - last_position(train[s], shared))
            scores[item] += similar * exp(-between / neighbor_decay)
    return scores


def vstan(
    train: Train,
    prefix: list[int],
    *,
    k_neighbors: int,
    sample_size: int,
    session_decay: float,
    recency_decay: float,
    neighbor_decay: float,
    score_decay: float,
    idf_weight: float,
) -> Scores:
    similarity = stan_similarity(train, prefix, session_decay, recency_decay)
    scores: Scores = defaultdict(float)
    for s, similar in nearest(train, prefix, k_neighbors, sample_size, similarity).items():
        shared = shared_items(prefix, train[s])[0]
        behind = len(prefix) - last_position(prefix, shared)
        for item in set(train[s]):
            between = abs(last_position(train[s], item) - last_position(train[s], shared))
            idf = log(len(train) / sum(item in session for session in train))
            score = similar * exp(-behind / score_decay) * exp(-between / neighbor_decay)
            scores[item] += score * (1 + idf_weight * idf)
    return scores


NEIGHBORHOOD = {"k_neighbors": st.integers(1, 6), "sample_size": st.integers(1, 12)}
DECAY = st.floats(0.3, 5)
DECAYS = dict.fromkeys(("session_decay", "recency_decay", "neighbor_decay"), DECAY)

MODELS: dict[str, tuple[Callable[..., Scores], dict[str, st.SearchStrategy]]] = {
    "pop": (pop, {}),
    "s_pop": (s_pop, {}),
    "item_knn": (
        item_knn,
        {
            "item_neighbors": st.integers(1, 5),
            "similarity_regularization": st.sampled_from([0.0, 0.7, 20.0]),
            "similarity_balance": st.sampled_from([0.0, 0.3, 0.5, 1.0]),
        },
    ),
    "sr": (sr, {"rule_steps": st.integers(1, 8), "rule_weighting": weightings}),
    "s_knn": (s_knn, NEIGHBORHOOD),
    "v_sknn": (
        v_sknn,
        {
            **NEIGHBORHOOD,
            "position_weighting": weightings,
            "score_weighting": weightings,
            "idf_weight": st.sampled_from([0.0, 2.0]),
        },
    ),
    "stan": (stan, {**NEIGHBORHOOD, **DECAYS}),
    "vstan": (vstan, {**NEIGHBORHOOD, **DECAYS, "score_decay": DECAY, "idf_weight": st.sampled_from([0.0, 2.0])}),
}


def as_sessions(lists: list[list[int]]) -> Sessions:
    offsets = np.cumsum([0, *map(len, lists)])
    return Sessions(np.array([item for items in lists for item in items], dtype=np.int32), offsets)


@pytest.mark.parametrize("name", MODELS)
@given(data=st.data(), train=trains, queries=st.lists(prefixes, min_size=1, max_size=4))
def test_scores_are_those_of_the_formula(name, data, train, queries):
    slow, strategies = MODELS[name]
    options = {option: data.draw(strategy, label=option) for option, strategy in strategies.items()}
    model = build_model(N_ITEMS, Config.from_flat({"model": name, **options}))
    model.learn(Examples.every_prefix(as_sessions(train)))
    scores = model.score(as_sessions(queries))
    for row, prefix in zip(scores, queries, strict=True):
        expected = slow(train, prefix, **options)
        np.testing.assert_allclose(row[1:], [expected.get(i, 0.0) for i in range(1, N_ITEMS)], rtol=1e-9, atol=1e-12)
