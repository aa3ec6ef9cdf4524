"""The share of a search that is not training, and how long a slot stands empty between two trials.

    python -m benchmarks.overhead
    python -m benchmarks.overhead --space narm

A whole search, its command line and all: by default 30 trials of ml-100k, two at once, a thread each. Everything is
read from the log of its jobs, `experiments.tuning.study.job_log`.

- The *search* lasts from the first job's start to the last report. Its capacity is that time times the slots.
- *Training* is the sum of all epochs' seconds. What else happens in a slot, as a share of the capacity:
- *first start*: from the start of a slot's first job to the first step of its training; a worker imports torch.
- *between trials*: from the report that ends a job to the first step of the next job in that slot. That step began
  when the first report arrived, less the seconds of its epoch: the writing of a checkpoint counts as waiting.
- *between epochs*: within a job, from a report to the first step of the next epoch: checkpoint, report, decision.
- *tail*: once the last trial has begun, slots that wait for a promotion, or that nothing is left for.

These add up to the capacity. Beside it stand the seconds before the search: *data*, and *start*, which is that of
Ray, of the study and of MLflow.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.results_file import write_results
from experiments.cli.running import run_command
from experiments.cli.search_arguments import build_spec
from experiments.cli.search_parser import build_parser
from experiments.reporting.progress import Display
from experiments.reporting.recorder import Recording
from experiments.tuning.driver.run import run_studies
from experiments.tuning.driver.study_run import Plan
from experiments.tuning.study.job_log import JobTimes, jobs_in
from narm.config_file import OptionsFile
from narm.data.datasets import load_splits

STUDY = "s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """Where the time of a search went: seconds, summed over the slots."""

    wall: float
    slots: int
    training: float
    first_start: float
    between_epochs: float
    between_trials: Sequence[float]
    """Of each change."""
    tail: float

    @property
    def not_training(self) -> float:
        """Share of the capacity, the tail left out: it is a matter of the number of trials, not of the engine."""
        return 1 - self.training / (self.wall * self.slots - self.tail)


def measure(jobs: Sequence[JobTimes], slots: int) -> Overhead:
    """Assign each job to the slot that has been empty longest, and add up.

    Args:
        jobs: in the order of their start, at least one a slot, each with a report.
        slots: trials at once.
    """
    began, ended = jobs[0].start, max(job.end for job in jobs)
    last_new = max(job.start for job in jobs if job.is_first)
    in_slots = list(jobs[:slots])  # the latest job of each
    changes, tail = [], 0.0
    for job in jobs[slots:]:
        before = min(in_slots, key=lambda latest: latest.end)
        empty = job.first_step - before.end
        if job.start <= last_new:
            changes.append(empty)
        else:
            tail += empty
        in_slots[in_slots.index(before)] = job
    first = sum(job.first_step - began for job in jobs[:slots])
    return Overhead(
        wall=ended - began,
        slots=slots,
        training=sum(job.training for job in jobs),
        first_start=first,
        between_epochs=sum(job.end - job.first_step - job.training for job in jobs),
        between_trials=changes,
        tail=tail + sum(ended - latest.end for latest in in_slots),
    )


def run(arguments: Sequence[str], folder: Path) -> tuple[Overhead, dict[str, float]]:
    """Search as the command line would; where the time went, and the seconds of each thing before the search."""
    common = ["--output", str(folder), "--study", STUDY, "--finalists", "0", "--time-budget", "none"]
    spec = build_spec(build_parser().parse_args([*common, *arguments]), OptionsFile())
    began = time.time()
    splits = load_splits(spec.config.data)
    loaded = time.time()
    run_studies([Plan(spec=spec)], splits, Recording(Display(quiet=True)).open)
    jobs = [job for job in jobs_in(spec.folder) if job.reports]
    return measure(jobs, spec.concurrency), {"data": loaded - began, "start": jobs[0].start - loaded}


def rows(overhead: Overhead, before: dict[str, float]) -> list[dict[str, object]]:
    """The table."""
    waits, capacity = overhead.between_trials, overhead.wall * overhead.slots
    parts = {
        "training": overhead.training,
        "first start": overhead.first_start,
        "between trials": sum(waits),
        "between epochs": overhead.between_epochs,
        "tail": overhead.tail,
    }
    lost = capacity - overhead.tail - overhead.training
    return [
        *(_row(what, spent, f"{spent / capacity:.1%}") for what, spent in parts.items()),
        _row(f"search, {overhead.slots} slots", capacity, "100%"),
        _row("**not training, of the search without its tail**", lost, f"**{overhead.not_training:.1%}**"),
        _row("a slot empty between two trials, median", median(waits)),
        _row("a slot empty between two trials, longest", max(waits)),
        *(_row(f"before the search: {what}", spent) for what, spent in before.items()),
    ]


def _row(what: str, seconds: float, share: str = "") -> dict[str, object]:
    return {"what": what, "seconds": round(seconds, 2), "share": share}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--dataset", default="ml-100k", help="(default: ml-100k)")
    parser.add_argument("--space", default="recbole", help="(default: recbole)")
    parser.add_argument("--trials", type=int, default=30, help="(default: 30)")
    parser.add_argument("--concurrency", type=int, default=2, help="trials at once (default: 2)")
    parser.add_argument("--dry-run", action="store_true", help="print the table, and leave the committed one alone")
    given = parser.parse_args(arguments)
    what = ["--dataset", given.dataset, "--space", given.space]
    size = ["--trials", str(given.trials), "--concurrency", str(given.concurrency), "--threads", "1"]
    with tempfile.TemporaryDirectory() as folder:
        table = rows(*run([*what, *size], Path(folder)))
    for row in table:
        print(row)
    if not given.dry_run:
        write_results(
            "overhead" if given.space == "recbole" else f"overhead_{given.space}",
            title="What of a search is not training",
            notes="The first five lines are the time of all slots; what each is stands in `benchmarks/overhead.py`.",
            rows=table,
            module="overhead",
        )
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
