"""How near a training epoch comes to the machine's limit: the arithmetic it needs, against the sgemm peak.

    python -m benchmarks.floor --data FOLDER

Counted are the matrix products alone, forward and backward, with each event of a session encoded once, whatever
the trainer really does: encoding it twice, exponentials, the attention, the optimizer and Python are all overhead.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import matplotlib.pyplot as plt
import torch

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.machine import sgemm_gflops
from benchmarks.results_file import RESULTS, write_results
from benchmarks.sessions import diginetica, load_sessions
from experiments.cli.running import run_command
from narm.config import Config, DataConfig
from narm.data.sessions import Splits
from narm.training import create_model, fit

SHORT = 10  # an epoch of ml-100k takes two seconds, which any other work on the machine can double
BACKWARD = 3  # a product's backward is two more of its size


def epoch_gflop(splits: Splits, config: Config) -> dict[str, float]:
    """Matrix products of a training epoch with the full softmax, by part, GFLOP.

    An event that nothing follows needs no encoding, so that there are as many encoded events as targets.
    """
    model, targets = config.model, len(splits.train)
    D, H, V = model.embedding_size, model.hidden_size, splits.n_items
    inputs = D + (model.n_layers - 1) * H
    parts = {
        "GRU": 3 * H * (inputs + model.n_layers * H),
        "attention and decoder": 2 * H * H + 2 * H * D,
        "softmax": V * D,
    }
    return {name: 2 * BACKWARD * targets * products / 1e9 for name, products in parts.items()}


def measure(name: str, splits: Splits, rounds: int) -> dict[str, object]:
    """One row: epochs and the sgemm peak in turn."""
    config = Config.from_flat({"epochs": rounds + 1, "eval_step": 0})
    parts = epoch_gflop(splits, config)
    seconds, peaks = [], []
    for epoch in fit(create_model(splits.n_items, config), splits, config.training, config.evaluation, device="cpu"):
        seconds.append(epoch.n_targets / epoch.targets_per_second)
        peaks.append(sgemm_gflops())
    # an epoch and the peak right after it share the machine's mood: their ratio varies less than either
    shares = sorted(sum(parts.values()) / peak / spent for spent, peak in zip(seconds[1:], peaks[1:], strict=True))
    return {
        "dataset": name,
        "targets": len(splits.train),
        "items": splits.n_items,
        **{f"{part} GFLOP": round(gflop) for part, gflop in parts.items()},
        "peak GFLOP/s": round(median(peaks[1:])),
        "floor s": round(sum(parts.values()) / median(peaks[1:]), 2),
        "epoch s": round(median(seconds[1:]), 2),
        "rounds": rounds,
        "share of peak": f"{median(shares):.0%}",
        "of single rounds": f"{shares[0]:.0%} to {shares[-1]:.0%}",
    }


def plot(rows: list[dict[str, object]]) -> None:
    """The floor inside each epoch."""
    figure, axes = plt.subplots(figsize=(8, 0.7 * len(rows) + 1.2), layout="constrained")
    names = [str(row["dataset"]) for row in rows]
    shares = [float(str(row["share of peak"]).rstrip("%")) / 100 for row in rows]
    axes.barh(names, [1] * len(rows), color="#d9e2ec", label="an epoch")
    bars = axes.barh(names, shares, color="#3b6ea8", label="its matrix products at the sgemm peak")
    axes.bar_label(bars, [str(row["share of peak"]) for row in rows], padding=3)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower right")
    figure.savefig(RESULTS / "floor.png", dpi=120)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--data", type=Path, help="folder that has diginetica/diginetica.train.parquet")
    parser.add_argument(
        "--rounds", type=int, default=3, help=f"epochs of Diginetica; of ml-100k {SHORT} times as many (default: 3)"
    )
    parser.add_argument("--threads", type=int, help="default: the cores")
    given = parser.parse_args(arguments)
    if given.threads:
        torch.set_num_threads(given.threads)
    datasets = {"ml-100k": DataConfig(dataset="ml-100k")}
    if given.data is not None:
        datasets["Diginetica"] = diginetica(given.data)
    rows = []
    for name, data in datasets.items():
        rows.append(measure(name, load_sessions(data), given.rounds * (SHORT if name == "ml-100k" else 1)))
        print(rows[-1], flush=True)
    write_results(
        "floor",
        title="The share of the sgemm peak that a training epoch reaches",
        notes="D=64, H=128, one layer, batch 2,048, full softmax, float32. Only matrix products count, and each event "
        "as encoded once.",
        rows=rows,
        plot=True,
    )
    plot(rows)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
