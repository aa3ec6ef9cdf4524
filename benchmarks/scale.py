"""Time and peak memory as the sessions, and the items, grow tenfold, twice.

    python -m benchmarks.scale

Sessions: a generated log of clicks is read from Parquet, filtered (5-core items), split by time, and batched once
through. Items: a NARM over a generated catalogue is trained with the sampled softmax and ranks all items for
its validation targets. Each size runs in a process of its own, whose peak resident memory is the system's account.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.generated import random_splits, write_clicks
from benchmarks.results_file import RESULTS, write_results
from experiments.cli.running import run_command
from narm.config import Config, DataConfig
from narm.data.batches import training_batches
from narm.data.datasets import load_splits
from narm.evaluation.full_ranking import evaluate
from narm.training import create_model, fit, training_windows

CLICKS = (330_000, 3_300_000, 33_000_000)
ITEMS = (10_000, 100_000, 1_000_000)
TRAINED_EVENTS = 200_000


def time_clicks(n_clicks: int) -> dict[str, float]:
    """Seconds to read, filter and split a log, and to batch its training sessions once."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clicks.parquet"
        write = [sys.executable, "-m", "benchmarks.scale", "--write", str(path), "--size", str(n_clicks)]
        subprocess.run(write, check=True)
        started = time.perf_counter()
        splits = load_splits(DataConfig(dataset=str(path), item_inter_num_interval="[5,inf)"))
        read = time.perf_counter()
        windows = training_windows(splits, Config().training)
        n_targets = sum(len(batch) for batch in training_batches(windows, 2048, np.random.default_rng(0)))
        batched = time.perf_counter()
    return {"work": n_targets, "read, filter, split s": read - started, "batch s": batched - read}


def time_items(n_items: int) -> dict[str, float]:
    """Seconds to train an epoch with the sampled softmax and to rank all items for a twentieth as many targets."""
    splits = random_splits(TRAINED_EVENTS, n_items)
    config = Config.from_flat(epochs=1, eval_step=0, loss_type="sampled_softmax")
    model = create_model(n_items, config)
    (epoch,) = fit(model, splits, config.training, config.evaluation, device="cpu")
    started = time.perf_counter()
    evaluate(model, splits.valid, config.evaluation, max_length=splits.max_length)
    ranked = time.perf_counter() - started
    return {"work": epoch.n_targets, "train s": epoch.n_targets / epoch.targets_per_second, "rank s": ranked}


KINDS: dict[str, tuple[Callable[[int], dict[str, float]], tuple[int, ...]]] = {
    "clicks": (time_clicks, CLICKS),
    "items": (time_items, ITEMS),
}


def in_own_process(kind: str, size: int) -> dict[str, object]:
    """Measure one size in a fresh process; a row of the table."""
    command = [sys.executable, "-m", "benchmarks.scale", "--measure", kind, "--size", str(size)]
    figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    peak, work = figures.pop("peak GiB"), figures.pop("work")
    parts = ", ".join(f"{part} {seconds:.1f}" for part, seconds in figures.items())
    total = sum(figures.values())
    return {"what": kind, "size": size, "targets": work, "seconds": round(total, 2), "of which": parts,
            "peak GiB": round(peak, 2)}  # fmt: skip


def plot(rows: list[dict[str, object]]) -> None:
    """Seconds and memory over size, on logarithmic axes."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for kind in KINDS:
        chosen = [row for row in rows if row["what"] == kind]
        for axis, column in zip(axes, ("seconds", "peak GiB"), strict=True):
            axis.plot([row["size"] for row in chosen], [row[column] for row in chosen], "o-", label=kind)
    for axis, column in zip(axes, ("seconds", "peak GiB"), strict=True):
        axis.set(xscale="log", yscale="log", xlabel="clicks, or items", ylabel=column)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend()
    figure.savefig(RESULTS / "scale.png", dpi=120)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--measure", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.write:
        write_clicks(given.write, given.size)
        return 0
    if given.measure:
        figures = KINDS[given.measure][0](given.size)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(json.dumps({**figures, "peak GiB": peak}))
        return 0
    rows = []
    for kind, (_, sizes) in KINDS.items():
        for size in sizes:
            rows.append(in_own_process(kind, size))
            print(rows[-1], flush=True)
    write_results(
        "scale",
        title="Time and memory as the data grow",
        notes="clicks: read, 5-core filter, split by time, batch once. items: an epoch of sampled softmax (2,048 "
        f"shared negatives) over {TRAINED_EVENTS:,} events, then a full ranking for a twentieth as many. "
        f"{torch.get_num_threads()} threads.",
        rows=rows,
        plot=True,
    )
    plot(rows)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
