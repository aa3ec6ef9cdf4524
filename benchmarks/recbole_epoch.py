"""Time RecBole's own training loop of NARM, step by step; prints JSON. Runs in the peer's environment.

    python -m benchmarks.peer benchmarks.recbole_epoch --dataset ml-100k --max-steps 6

Without `--max-steps` one whole epoch is trained. The loop, the loader, the model and the optimizer are
RecBole's, unchanged; only its batches pass through a stopwatch.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from benchmarks.recbole_atomic import sequential_files
from benchmarks.recbole_setup import narm_config, scratch_folder
from benchmarks.step_timing import StepTiming

from recbole.data import create_dataset, data_preparation  # type: ignore[import-not-found]  # isort: skip
from recbole.trainer import Trainer  # type: ignore[import-not-found]  # isort: skip
from recbole.utils import get_model  # type: ignore[import-not-found]  # isort: skip


class Stopwatch:
    """Passes a loader's batches on and times each until the next one is asked for."""

    def __init__(self, loader: Any, max_steps: int | None) -> None:
        self.batches = islice(loader, max_steps)
        self.seconds: list[float] = []
        self.targets: list[int] = []

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches; a step's time includes collating its batch, as RecBole does it on demand."""
        start = time.perf_counter()
        for batch in self.batches:
            yield batch
            now = time.perf_counter()
            self.seconds.append(now - start)
            self.targets.append(len(batch))
            start = now


def time_steps(options: argparse.Namespace, folder: Path) -> StepTiming:
    """Train the steps that the options name, in RecBole's own loop."""
    config = configure(options, folder)
    dataset = create_dataset(config)
    train_data, _, _ = data_preparation(config, dataset)
    model = get_model(config["model"])(config, train_data._dataset).to(config["device"])
    watch = Stopwatch(train_data, options.max_steps)
    Trainer(config, model)._train_epoch(watch, epoch_idx=0)
    return StepTiming(
        dataset=options.dataset,
        step_seconds=tuple(watch.seconds),
        step_targets=tuple(watch.targets),
        n_targets=len(train_data._dataset),
        batch_size=train_data.step,
        n_items=model.n_items,
        n_threads=torch.get_num_threads(),
        peak_rss_mib=peak_rss_mib(),
    )


def configure(options: argparse.Namespace, folder: Path) -> Any:
    """Return RecBole's configuration; a parquet file is first converted to RecBole's files in `folder`."""
    settings = {
        "loss_type": options.loss_type,
        "n_layers": options.n_layers,
        "embedding_size": options.embedding_size,
        "hidden_size": options.hidden_size,
        "train_batch_size": options.batch_size,
    }
    if options.dataset == "ml-100k":
        return narm_config("ml-100k", **settings)
    name, files = sequential_files(Path(options.dataset), folder, max_sessions=options.max_sessions)
    return narm_config(name, **settings, **files)


def peak_rss_mib() -> float:
    """Peak resident memory of this process; Linux counts it in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time training steps of RecBole's NARM.")
    parser.add_argument("--dataset", default="ml-100k", help="ml-100k, or a parquet file of events")
    parser.add_argument("--loss-type", choices=["CE", "BPR"], default="CE")
    parser.add_argument("--n-layers", type=int, default=1)
    parser.add_argument("--embedding-size", type=int, default=64)
    parser.add_argument("--hidden-size", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=2048, help="targets a step")
    parser.add_argument("--max-steps", type=int, help="default: a whole epoch")
    parser.add_argument("--max-sessions", type=int, help="of a parquet file: only its first sessions")
    parser.add_argument("--n-threads", type=int, help="default: torch's own choice")
    options = parser.parse_args()
    if options.dataset != "ml-100k":
        options.dataset = str(Path(options.dataset).resolve())
    return options


def main() -> None:
    options = parse_arguments()
    if options.n_threads is not None:
        torch.set_num_threads(options.n_threads)
    with scratch_folder() as folder:
        timing = time_steps(options, folder)
    summary = {
        "seconds_per_step": timing.seconds_per_step,
        "steps_per_epoch": timing.steps_per_epoch,
        "projected_epoch_seconds": timing.projected_epoch_seconds(),
        "epoch_seconds": timing.epoch_seconds,
    }
    print(json.dumps(asdict(timing) | summary))


if __name__ == "__main__":
    main()
