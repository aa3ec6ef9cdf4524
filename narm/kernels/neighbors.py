"""Scores of items by neighbouring sessions, one prefix at a time.

S train sessions, numbered in their order in time, N items in all of them; Q prefixes, M items in all of them;
V items, P postings.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from narm.kernels.compile import kernel


@kernel(
    "void(i8, i8, i4[::1], real[::1], real[::1], i8[::1], i8[::1], i4[::1], i8[::1], i4[::1], i4[::1], "
    "real[::1], real[::1], real[::1], i8, i8, real[:, ::1])"
)
def score_items(
    thread: int,
    threads: int,
    prefix_items: Any,
    prefix_weights: Any,
    prefix_factors: Any,
    prefix_offsets: Any,
    posting_offsets: Any,
    postings: Any,
    session_offsets: Any,
    session_items: Any,
    session_positions: Any,
    session_factors: Any,
    nearness: Any,
    item_factors: Any,
    k: int,
    sample_size: int,
    scores: Any,
) -> None:
    """Score all items by the k train sessions most similar to each prefix; of equals, by the more recent.

    A train session shares items with the prefix; its similarity is the sum of their weights, times its factor. It
    gives each of its items: similarity * factor of the latest shared item * nearness to it * factor of the item.

    Args:
        thread, threads: this thread's share is every threads-th prefix.
        prefix_items: distinct items of each prefix, the most recent first, [M].
        prefix_weights: of each in the similarity, [M].
        prefix_factors: of a neighbour whose latest shared item this is, [M].
        prefix_offsets: [Q + 1].
        posting_offsets: [V + 1].
        postings: train sessions that have each item, the most recent first, [P].
        session_offsets: [S + 1].
        session_items: distinct items of each train session, [N].
        session_positions: where they stand in it, [N].
        session_factors: [S].
        nearness: by positions between two items of a session, [longest session].
        item_factors: [V].
        k: neighbours.
        sample_size: sessions that share an item, the most recent, among which neighbours are sought.
        scores: receives the scores, [Q, V].
    """
    limit = min(sample_size, len(session_factors))
    candidates = np.empty(limit, np.int32)
    similarities = np.empty(limit, scores.dtype)
    latest = np.empty(limit, np.int32)
    for q in range(thread, len(prefix_offsets) - 1, threads):
        begin, end = prefix_offsets[q], prefix_offsets[q + 1]
        heads = posting_offsets[prefix_items[begin:end]]
        ends = posting_offsets[prefix_items[begin:end] + 1]
        found = 0
        while found < limit:  # merge the postings, from the most recent session on
            session = -1
            for i in range(len(heads)):
                if heads[i] < ends[i]:
                    session = max(session, postings[heads[i]])
            if session < 0:
                break
            candidates[found] = session
            similarities[found] = 0
            latest[found] = -1
            for i in range(len(heads)):
                if heads[i] < ends[i] and postings[heads[i]] == session:
                    heads[i] += 1
                    similarities[found] += prefix_weights[begin + i]
                    if latest[found] < 0:
                        latest[found] = begin + i
            similarities[found] *= session_factors[session]
            found += 1
        row = scores[q]
        row[:] = 0
        nearest_first = np.argsort(-similarities[:found], kind="mergesort")  # stable: candidates stand by recency
        for n in nearest_first[:k]:
            first, last = session_offsets[candidates[n]], session_offsets[candidates[n] + 1]
            shared = first
            while session_items[shared] != prefix_items[latest[n]]:
                shared += 1
            strength = similarities[n] * prefix_factors[latest[n]]
            for j in range(first, last):
                distance = abs(session_positions[j] - session_positions[shared])
                row[session_items[j]] += strength * nearness[distance] * item_factors[session_items[j]]
