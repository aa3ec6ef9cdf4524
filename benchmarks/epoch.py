"""A training epoch of ours against one of RecBole 1.2.1: same machine, threads, data, model and batch size.

    python -m benchmarks.epoch --data FOLDER

Each case alternates between a whole epoch of ours and a few steps of RecBole's (its step times hardly vary, and its
epoch on Diginetica takes a quarter of an hour); the ratio is that of the median seconds a target. RecBole runs in
a virtual environment of its own, which the command builds. Without --data only ml-100k is measured.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import matplotlib.pyplot as plt
import torch

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.peer import DEFAULT_VENV, peer_python, recbole_step_seconds
from benchmarks.results_file import RESULTS, write_results
from benchmarks.sessions import diginetica, load_sessions
from experiments.cli.running import run_command
from narm.config import Config, DataConfig
from narm.data.sessions import Splits
from narm.training import create_model, fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One comparison: our options, and the loss and layers that RecBole trains with."""

    name: str
    data: DataConfig
    options: dict[str, object]
    recbole_loss: str = "CE"
    n_layers: int = 1
    n_sessions: int | None = None


def cases(data: Path | None, n_sessions: int) -> list[Case]:
    """ml-100k, and Diginetica where there is a data folder."""
    found = [
        Case(name="ml-100k, CE", data=DataConfig(dataset="ml-100k"), options={}),
        Case(name="ml-100k, CE, 2 layers", data=DataConfig(dataset="ml-100k"), options={"n_layers": 2}, n_layers=2),
        Case(name="ml-100k, BPR", data=DataConfig(dataset="ml-100k"), options={"loss_type": "BPR"}, recbole_loss="BPR"),
    ]
    if data is not None:
        sessions = diginetica(data)
        found += [
            Case(name="Diginetica, CE", data=sessions, options={}, n_sessions=n_sessions),
            Case(
                name="Diginetica, sampled softmax (RecBole: CE)",
                data=sessions,
                options={"loss_type": "sampled_softmax"},
                n_sessions=n_sessions,
            ),
        ]
    return found


def seconds_a_target(case: Case, splits: Splits, epochs: int) -> list[float]:
    """Seconds a target of each of our training epochs, after one to warm up."""
    config = Config.from_flat({**case.options, "epochs": epochs + 1, "eval_step": 0})
    run = fit(create_model(splits.n_items, config), splits, config.training, config.evaluation, device="cpu")
    return [1 / epoch.targets_per_second for epoch in run][1:]


def measure(case: Case, *, rounds: int, steps: int, venv: Path) -> dict[str, object]:
    """One row of the table: ours and RecBole's in turn, `rounds` times."""
    splits = load_sessions(case.data, case.n_sessions)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        ours += seconds_a_target(case, splits, epochs=1)
        timing = recbole_step_seconds(
            case.data.dataset,
            loss_type=case.recbole_loss,
            n_layers=case.n_layers,
            max_steps=steps,
            max_sessions=case.n_sessions,
            n_threads=torch.get_num_threads(),
            venv=venv,
        )
        theirs.append(timing.seconds_per_step / timing.batch_size)
    n_targets = len(splits.train)
    return {
        "case": case.name,
        "targets": n_targets,
        "items": splits.n_items,
        "RecBole s": round(median(theirs) * n_targets, 1),
        "ours s": round(median(ours) * n_targets, 2),
        "ratio": round(median(theirs) / median(ours), 1),
        "ratios of single rounds": ", ".join(f"{t / o:.1f}" for t, o in zip(theirs, ours, strict=True)),
    }


def plot(rows: list[dict[str, object]]) -> None:
    """Bars of the ratios, on a logarithmic axis."""
    figure, axes = plt.subplots(figsize=(8, 0.6 * len(rows) + 1.2), layout="constrained")
    names, ratios = [str(row["case"]) for row in rows], [float(str(row["ratio"])) for row in rows]
    axes.bar_label(axes.barh(names, ratios, color="#3b6ea8"), fmt="%.0fx", padding=3)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(1, max(ratios) * 2)
    axes.set_xlabel("times faster than RecBole 1.2.1, a training epoch on the same CPU")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(RESULTS / "epoch.png", dpi=120)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--data", type=Path, help="folder that has diginetica/diginetica.train.parquet")
    parser.add_argument("--sessions", type=int, default=20_000, help="of Diginetica, both sides (default: 20000)")
    parser.add_argument("--rounds", type=int, default=3, help="ours and RecBole's in turn (default: 3)")
    parser.add_argument("--steps", type=int, default=6, help="of RecBole in each round (default: 6)")
    parser.add_argument("--peer-venv", type=Path, default=DEFAULT_VENV, help="default: %(default)s")
    given = parser.parse_args(arguments)
    chosen = cases(given.data, given.sessions)
    peer_python(given.peer_venv)
    rows = []
    for case in chosen:
        rows.append(measure(case, rounds=given.rounds, steps=given.steps, venv=given.peer_venv))
        print(rows[-1], flush=True)
    write_results(
        "epoch",
        title="A training epoch: ours against RecBole 1.2.1",
        notes="D=64, H=128, batch 2,048, float32. RecBole's epoch is projected from the median of its steps; "
        f"Diginetica's are the first {given.sessions:,} training sessions, for both sides, with the whole catalogue.",
        rows=rows,
        plot=True,
    )
    plot(rows)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
