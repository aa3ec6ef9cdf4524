"""Records how RecBole reads, filters, splits and samples ml-100k."""

import csv
import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recbole_setup import narm_config

from recbole.data import create_dataset, create_samplers  # type: ignore[import-not-found]  # isort: skip

TRAIN_SAMPLES = 200

INTERVALS = (
    ("[50,inf)", "[20,inf)"),
    ("(10,200]", "(10,200]"),
    ("(10,200]", None),
    (None, "(10,200]"),
    ("[0,30];(100,inf)", None),
)
"""Pairs of user_inter_num_interval and item_inter_num_interval; the last is a union of two intervals."""


def record_split(folder: Path) -> None:
    """Record the leave-one-out split: its size, every held-out target, a sample of the train examples."""
    dataset, (train, valid, test) = ml100k_splits()
    users, items = dataset.field2id_token["user_id"], dataset.field2id_token["item_id"]
    summary = {
        "n_users": dataset.user_num,
        "n_items": dataset.item_num,
        "rows": {"train": len(train), "valid": len(valid), "test": len(test)},
        "first_item_tokens": items[:20].tolist(),
        "item_tokens_sha256": sha256_of_lines(items),
    }
    write_json(folder / "ml100k_split.json", summary)

    held_out = [targets_by_user(part, users, items) for part in (valid, test)]
    rows = [[user, *(targets[user] for targets in held_out)] for user in sorted(held_out[0], key=int)]
    write_csv(folder / "ml100k_held_out.csv", ["user_id", "valid_item_id", "test_item_id"], rows)

    chosen = np.linspace(0, len(train) - 1, TRAIN_SAMPLES).astype(int)
    examples = [example(train, row, users, items) for row in chosen]
    write_csv(folder / "ml100k_train_sample.csv", ["user_id", "prefix", "target"], examples)


def record_intervals(folder: Path) -> None:
    """Record what remains of ml-100k after filtering by numbers of events."""
    cases = []
    for user_interval, item_interval in INTERVALS:
        config = narm_config(user_inter_num_interval=user_interval, item_inter_num_interval=item_interval)
        dataset = create_dataset(config)
        users, items = dataset.field2id_token["user_id"], dataset.field2id_token["item_id"]
        events = dataset.inter_feat
        pairs = (f"{users[u]}\t{items[i]}" for u, i in zip(events["user_id"], events["item_id"], strict=True))
        cases.append(
            {
                "user_inter_num_interval": user_interval,
                "item_inter_num_interval": item_interval,
                "n_users": dataset.user_num - 1,
                "n_items": dataset.item_num - 1,
                "n_interactions": len(events),
                "events_sha256": sha256_of_lines(pairs),
            }
        )
    write_json(folder / "ml100k_intervals.json", cases)


def record_popularity(folder: Path) -> None:
    """Record the probabilities with which RecBole's popularity sampler draws ml-100k's items."""
    by_alpha = {}
    for alpha in (1.0, 0.5):
        negatives = {"distribution": "popularity", "sample_num": 1, "alpha": alpha}
        config = narm_config(loss_type="BPR", train_neg_sample_args=negatives)
        dataset = create_dataset(config)
        sampler, _, _ = create_samplers(config, dataset, dataset.build())
        probabilities = alias_probabilities(sampler.prob, sampler.alias)
        items = dataset.field2id_token["item_id"]
        by_alpha[str(alpha)] = {
            "n_candidates": len(probabilities),
            "sum": sum(probabilities.values()),
            "first_items": {items[item]: probabilities[item] for item in sorted(probabilities)[:20]},
            "smallest": min(probabilities.values()),
            "largest": max(probabilities.values()),
            "n_never_drawn": dataset.item_num - 1 - len(probabilities),
        }
    write_json(folder / "ml100k_popularity.json", by_alpha)


def alias_probabilities(kept: dict[int, float], alias: dict[int, int]) -> dict[int, float]:
    """Return the probability of each item under an alias table: its own share, and what others pass to it."""
    probabilities = {item: min(share, 1.0) / len(kept) for item, share in kept.items()}
    for item, share in kept.items():
        if alias[item] != -1:
            probabilities[alias[item]] += (1 - share) / len(kept)
    return probabilities


def ml100k_splits() -> tuple[Any, list[Any]]:
    """Return RecBole's dataset, and its train, valid and test parts."""
    dataset = create_dataset(narm_config())
    return dataset, dataset.build()


def targets_by_user(part: Any, users: Sequence[str], items: Sequence[str]) -> dict[str, str]:
    """Return user token -> target token of a part with one example a user."""
    rows = part.inter_feat
    return {users[u]: items[i] for u, i in zip(rows["user_id"], rows["item_id"], strict=True)}


def example(part: Any, row: int, users: Sequence[str], items: Sequence[str]) -> list[str]:
    """Return user token, prefix tokens (oldest first, space-separated) and target token of one example."""
    rows = part.inter_feat
    prefix = rows["item_id_list"][row][: rows["item_length"][row]]
    return [users[rows["user_id"][row]], " ".join(items[i] for i in prefix), items[rows["item_id"][row]]]


def sha256_of_lines(lines: Iterable[str]) -> str:
    """Return the SHA-256 of the lines joined by newlines, without one at the end."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def write_json(file: Path, content: Any) -> None:
    """Write readable JSON."""
    file.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def write_csv(file: Path, header: list[str], rows: list[list[str]]) -> None:
    """Write a CSV with Unix line ends."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
