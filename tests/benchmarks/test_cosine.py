"""Epochs with and without cosines are trained in turn, and compared as neighbours."""

from __future__ import annotations

import pytest

from benchmarks import cosine
from narm.config import DataConfig
from narm.data.datasets import load_splits


def test_a_row_has_the_median_of_the_ratios_of_neighbours_without_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"dot": [9.0, 1.0, 2.0, 4.0], "cosine": [1.0, 1.1, 2.0, 5.0]}
    monkeypatch.setattr(cosine, "seconds_an_epoch", lambda splits, options, scoring, epochs: iter(seconds[scoring]))
    row = cosine.measure("ml-100k", load_splits(DataConfig(dataset="synthetic")), rounds=3)
    assert (row["ratio"], row["half of the ratios"]) == ("1.100", "1.000 to 1.250")
    assert (row["dot, s"], row["cosine, s"]) == (2.0, 2.0)


def test_an_epoch_of_either_scoring_takes_time() -> None:
    splits = load_splits(DataConfig(dataset="synthetic"))
    options = {"embedding_size": 4, "hidden_size": 4}
    for scoring in ("dot", "cosine"):
        first, second = cosine.seconds_an_epoch(splits, options, scoring, 2)
        assert first > 0
        assert second > 0
