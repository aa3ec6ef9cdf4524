"""What cosine scores cost: epochs with and without them, in turn.

    python -m benchmarks.cosine --data FOLDER

Each data set is trained as its results file has it, but for `scoring`; the two runs take an epoch each in turn, and the
ratio of neighbours is what counts, since they share the machine's mood.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import torch

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.results_file import write_results
from benchmarks.sessions import diginetica, load_sessions, yoochoose
from experiments.cli.running import run_command
from narm.config import Config, DataConfig
from narm.data.sessions import Splits
from narm.training import create_model, fit

OPTIONS: dict[str, dict[str, object]] = {
    "ml-100k": {},
    "yoochoose-100k": {"embedding_size": 96, "hidden_size": 96, "train_batch_size": 256},
    "Diginetica": {"loss_type": "sampled_softmax", "softmax_samples": 4096, "train_batch_size": 512},
}
"""Beside RecBole's defaults."""


def seconds_an_epoch(splits: Splits, options: dict[str, object], scoring: str, epochs: int) -> Iterator[float]:
    """The seconds of each epoch, as it is trained."""
    config = Config.from_flat({**options, "scoring": scoring, "epochs": epochs, "eval_step": 0})
    for epoch in fit(create_model(splits.n_items, config), splits, config.training, config.evaluation, device="cpu"):
        yield epoch.n_targets / epoch.targets_per_second


def measure(name: str, splits: Splits, rounds: int) -> dict[str, object]:
    """One row."""
    runs = (seconds_an_epoch(splits, OPTIONS[name], scoring, rounds + 1) for scoring in ("dot", "cosine"))
    pairs = list(zip(*runs, strict=True))[1:]  # the first epochs allocate
    ratios = sorted(cosine / dot for dot, cosine in pairs)
    return {
        "dataset": name,
        "targets": len(splits.train),
        "items": splits.n_items,
        "rounds": rounds,
        "dot, s": round(median(dot for dot, _ in pairs), 2),
        "cosine, s": round(median(cosine for _, cosine in pairs), 2),
        "ratio": f"{median(ratios):.3f}",
        "half of the ratios": f"{ratios[len(ratios) // 4]:.3f} to {ratios[-1 - len(ratios) // 4]:.3f}",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that has diginetica/ and yoochoose-100k/")
    parser.add_argument("--rounds", type=int, default=9, help="epochs of each (default: 9)")
    parser.add_argument("--sessions", type=int, default=20_000, help="of Diginetica, the first (default: 20000)")
    parser.add_argument("--threads", type=int, help="default: the cores")
    given = parser.parse_args(arguments)
    if given.threads:
        torch.set_num_threads(given.threads)
    datasets = {
        "ml-100k": load_sessions(DataConfig(dataset="ml-100k")),
        "yoochoose-100k": load_sessions(yoochoose(given.data)),
        "Diginetica": load_sessions(diginetica(given.data), given.sessions),
    }
    rows = []
    for name, splits in datasets.items():
        rows.append(measure(name, splits, given.rounds))
        print(rows[-1], flush=True)
    write_results(
        "cosine",
        title="Cosine scores beside products: the time of an epoch",
        notes="Ratios of epochs trained in turn; the second is the same but for `scoring: cosine`.",
        rows=rows,
    )
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
