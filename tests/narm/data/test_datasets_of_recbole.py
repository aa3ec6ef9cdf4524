"""ml-100k is filtered, ordered and split as RecBole 1.2.1 does it; `tests/golden` holds what it did."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from narm.config import DataConfig
from narm.data import movielens
from narm.data.events import Events, read_events
from narm.data.filters import k_core
from narm.data.sessions import Splits
from narm.errors import InputError

GOLDEN = Path(__file__).parents[2] / "golden"
SPLIT = json.loads((GOLDEN / "ml100k_split.json").read_text())
INTERVALS = json.loads((GOLDEN / "ml100k_intervals.json").read_text())

pytestmark = pytest.mark.network


@pytest.fixture(scope="session")
def events() -> Events:
    try:
        return read_events(movielens.ml_100k(), DataConfig())
    except InputError as error:
        pytest.skip(str(error))


def sha256_of_lines(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_the_items_are_in_recboles_order(ml_100k: Splits):
    items = ["[PAD]", *map(str, ml_100k.vocabulary.ids)]
    assert len(items) == ml_100k.n_items == SPLIT["n_items"]
    assert sha256_of_lines(items) == SPLIT["item_tokens_sha256"]


def test_the_splits_have_recboles_rows(ml_100k: Splits):
    rows = {"train": len(ml_100k.train), "valid": len(ml_100k.valid), "test": len(ml_100k.test)}
    assert rows == SPLIT["rows"]


def test_every_held_out_target_is_recboles(ml_100k: Splits, events: Events):
    held_out = {
        str(user): [ml_100k.vocabulary.raw(item) for item in pair]
        for user, pair in zip(
            events.session_ids.to_pylist(),
            zip(ml_100k.valid.target_items, ml_100k.test.target_items, strict=True),
            strict=True,
        )
    }
    with (GOLDEN / "ml100k_held_out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert held_out == {row["user_id"]: [row["valid_item_id"], row["test_item_id"]] for row in rows}


def test_the_train_examples_are_recboles(ml_100k: Splits, events: Events):
    users = np.array(events.session_ids.to_pylist())[ml_100k.train.session_of_target]
    targets = ml_100k.vocabulary.ids[ml_100k.train.target_items - 1]
    with (GOLDEN / "ml100k_train_sample.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        (example,) = np.flatnonzero((users == int(row["user_id"])) & (targets == int(row["target"])))
        prefix = [ml_100k.vocabulary.raw(item) for item in ml_100k.train.prefix(example, 50)]
        assert " ".join(prefix) == row["prefix"]


@pytest.mark.parametrize(
    "case", INTERVALS, ids=lambda c: f"{c['user_inter_num_interval']}-{c['item_inter_num_interval']}"
)
def test_the_k_core_keeps_recboles_events(events: Events, case):
    any_number = "[0,inf)"
    left, _ = k_core(
        events, case["user_inter_num_interval"] or any_number, case["item_inter_num_interval"] or any_number
    )
    assert len(left.session_ids) == case["n_users"]
    assert len(left.item_ids) == case["n_items"]
    users, items = left.session_ids.to_pylist(), left.item_ids.to_pylist()
    pairs = [f"{users[u]}\t{items[i]}" for u, i in zip(left.sessions, left.items, strict=True)]
    assert len(pairs) == case["n_interactions"]
    assert sha256_of_lines(pairs) == case["events_sha256"]
