"""What sampled softmax costs in quality: trained on Diginetica beside the full softmax, all else equal.

    python -m benchmarks.sampled_softmax --data FOLDER

Both are judged after every epoch on the last tenth of the training sessions in time, on a full ranking. The best epoch
of each counts. The full softmax of the whole takes hours on a busy machine; `--sessions N` takes the last N training
sessions in time, as the literature does with Yoochoose, for both.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.results_file import write_results
from benchmarks.sessions import diginetica
from experiments.cli.running import run_command
from narm.config import Config
from narm.data.datasets import load_splits
from narm.data.sessions import Examples, Sessions, Splits
from narm.training import create_model, fit

OPTIONS = {
    "train_batch_size": 512,
    "learning_rate": 0.002,
    "softmax_samples": 4096,
    "topk": [20],
    "valid_metric": "MRR@20",
    "stopping_step": 1,
}
"""Those of benchmarks/results/diginetica.md, chosen with the sampled softmax."""


def train(splits: Splits, loss_type: str, *, epochs: int, decay: float) -> list[dict[str, object]]:
    """A row an epoch."""
    options = {**OPTIONS, "loss_type": loss_type, "epochs": epochs, "learning_rate_decay": decay}
    config = Config.from_flat(options)
    rows: list[dict[str, object]] = []
    for epoch in fit(create_model(splits.n_items, config), splits, config.training, config.evaluation, device="cpu"):
        assert epoch.valid is not None
        rows.append(
            {
                "loss": loss_type,
                "epoch": epoch.epoch,
                "Recall@20": round(100 * epoch.valid["recall_at_20"], 2),
                "MRR@20": round(100 * epoch.valid["mrr_at_20"], 2),
                "seconds": round(epoch.n_targets / epoch.targets_per_second),
            }
        )
        print(rows[-1], flush=True)
    return rows


def last_sessions(splits: Splits, number: int | None) -> Splits:
    """Train on the last sessions only; catalogue, validation and test stay whole."""
    whole = splits.train.sessions
    if number is None or number >= len(whole):
        return splits
    offsets = whole.offsets[-number - 1 :]
    return replace(splits, train=Examples.every_prefix(Sessions(whole.items[offsets[0] :], offsets - offsets[0])))


def best(rows: list[dict[str, object]], column: str) -> float:
    """Of the epochs."""
    return max(float(str(row[column])) for row in rows)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that has diginetica/diginetica.train.parquet")
    parser.add_argument("--epochs", type=int, default=6, help="of each (default: 6)")
    parser.add_argument("--decay", type=float, default=0.6, help="of the step size after each epoch (default: 0.6)")
    parser.add_argument("--sessions", type=int, help="the last N training sessions in time (default: all)")
    parser.add_argument("--threads", type=int, help="default: the cores")
    given = parser.parse_args(arguments)
    if given.threads:
        torch.set_num_threads(given.threads)
    splits = last_sessions(load_splits(diginetica(given.data).model_copy(update={"valid_share": 0.1})), given.sessions)
    sampled = train(splits, "sampled_softmax", epochs=given.epochs, decay=given.decay)
    full = train(splits, "CE", epochs=given.epochs, decay=given.decay)
    shares = {column: best(sampled, column) / best(full, column) for column in ("Recall@20", "MRR@20")}
    verdict = ", ".join(f"{share:.1%} of its {column}" for column, share in shares.items())
    write_results(
        "sampled_softmax",
        title="Sampled softmax beside the full softmax on Diginetica",
        notes=f"With 4,096 shared negatives of 43,097 items, sampled softmax comes to {verdict} (best epochs, "
        "validation, seed 2020).",
        rows=sampled + full,
    )
    print(verdict)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
