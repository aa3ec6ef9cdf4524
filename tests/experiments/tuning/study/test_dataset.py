"""What a study says of its data."""

from __future__ import annotations

from dataclasses import replace

from experiments.tuning.study.dataset import Dataset
from experiments.tuning.study.summary import DatasetSummary
from narm.config import Config
from narm.data.datasets import load_splits


def test_the_notes_on_the_data_are_in_the_summary():
    config = Config.from_flat(dataset="synthetic")
    splits = replace(load_splits(config.data), notes=("shop.csv: columns taken: session user_session",))
    assert DatasetSummary.of(Dataset.of(splits, config)).notes == splits.notes
