"""The data sets, and the configuration on each that candidates change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from benchmarks.sessions import newest
from narm.config import Config, DataConfig
from narm.data.datasets import load_splits
from narm.data.sessions import Splits
from narm.errors import InputError

Options = Mapping[str, Any]
"""Options of narm, and of `benchmarks.knobs.experiments`, by name; all of them plain JSON."""

ML_100K = {
    "embedding_size": 64,
    "hidden_size": 128,
    "dropout_probs": [0.25, 0.5],
    "scoring": "cosine",
    "temperature": 0.1,
    "train_batch_size": 512,
    "learning_rate": 0.002,
    "epochs": 25,
    "valid_metric": "MRR@10",
}
YOOCHOOSE_100K = {
    "embedding_size": 96,
    "hidden_size": 96,
    "dropout_probs": [0.39, 0.29],
    "scoring": "cosine",
    "temperature": 0.1,
    "train_batch_size": 256,
    "learning_rate": 0.005,
    "clip_grad_norm": 1.0,
    "epochs": 14,
    "valid_metric": "MRR@20",
}
DIGINETICA = {
    "embedding_size": 64,
    "hidden_size": 128,
    "dropout_probs": [0.25, 0.5],
    "scoring": "cosine",
    "temperature": 0.07,
    "loss_type": "sampled_softmax",
    "softmax_samples": 4096,
    "train_batch_size": 512,
    "learning_rate": 0.002,
    "learning_rate_decay": 0.8,
    "epochs": 7,
    "valid_metric": "MRR@20",
}
COMMON = {"stopping_step": 3, "topk": [10, 20], "metrics": ["Recall", "MRR", "NDCG"]}
"""Of every run, and of no interest in the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """Sessions to train on and to validate on, and where candidates start from.

    Attributes:
        name: in the table.
        base: options that differ from narm's defaults.
        files: of the data folder, by the option that names them; empty: narm knows the data by name.
        data: further options of the data.
        share: of the training targets to keep, the most recent ones.
    """

    name: str
    base: Options
    files: Mapping[str, str] = field(default_factory=dict)
    data: Options = field(default_factory=dict)
    share: float = 1.0

    @property
    def metric(self) -> str:
        """What runs are judged by, `MRR@20`, on validation."""
        return str(self.base["valid_metric"])

    @property
    def learning_rate(self) -> float:
        """Where the search for the base's own begins."""
        return float(self.base["learning_rate"])

    def config(self, options: Options, folder: Path | None = None) -> Config:
        """All options of a run.

        Raises:
            InputError: an unknown option, or a value out of bounds.
        """
        return Config.from_flat({**COMMON, **self.data, **self.paths(folder), **options})

    def paths(self, folder: Path | None) -> dict[str, str]:
        """The files, in that folder."""
        return {} if folder is None else {option: str(folder / file) for option, file in self.files.items()}

    def require_files(self, folder: Path | None) -> None:
        """Check that the data are there.

        Raises:
            InputError: they are not.
        """
        if self.files and folder is None:
            raise InputError(f"--data: {self.name} needs the folder that has {self.files['dataset']}; or leave it out "
                             "of --sets")  # fmt: skip
        for path in self.paths(folder).values():
            if not Path(path).is_file():
                raise InputError(f"{path}: no such file; --data names the folder that has it")


@lru_cache(maxsize=2)
def load(data: DataConfig, share: float) -> Splits:
    """Sessions with the most recent share of the training targets, read once a process."""
    return newest(load_splits(data), share)


DATA_SETS = {
    data_set.name: data_set
    for data_set in (
        DataSet(name="ml-100k", base=ML_100K, data={"dataset": "ml-100k"}),
        DataSet(
            name="yoochoose-100k",
            base=YOOCHOOSE_100K,
            files={
                "dataset": "yoochoose-100k/train_tr.txt",
                "valid_file": "yoochoose-100k/train_valid.txt",
                "test_file": "yoochoose-100k/test.txt",  # narm wants one; nothing here looks at it
            },
        ),
        DataSet(
            name="diginetica",
            base=DIGINETICA,
            files={
                "dataset": "diginetica/diginetica.train.parquet",
                "test_file": "diginetica/diginetica.test.parquet",
            },
            data={"valid_share": 0.1},
            share=0.25,
        ),
    )
}
"""By name, the cheapest first."""
