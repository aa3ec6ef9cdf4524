"""Trained models, judged side by side on the same test sessions: who is ahead, how sure that is, and where.

    python -m benchmarks.checkpoints --name NAME --dataset TRAIN --test_file TEST narm=narm.pt global=global.pt ...

`experiments.compare` tunes every model by a search of its own. This only judges what `experiments.train --checkpoint`
left, for data on which training takes long. The first model is the one that the others are compared with.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.results_file import RESULTS, write_results
from experiments.cli.running import run_command
from experiments.reporting.model_comparison.report import plot_by_length
from experiments.tuning.engine.model_comparison import Contender, compare_models
from experiments.tuning.worker.jobs import Finalist
from experiments.tuning.worker.reports import FinalistRun
from narm.checkpoint import load_model, read_checkpoint
from narm.config import Config
from narm.data.datasets import load_splits
from narm.data.sessions import Splits
from narm.errors import InputError
from narm.evaluation.full_ranking import rank_targets
from narm.evaluation.paired_difference import Difference
from narm.machine.files import atomic_file

METRICS = ("Recall@20", "MRR@20")


def contender(name: str, path: Path, splits: Splits) -> Contender:
    """The model of a checkpoint, and the ranks it gives to the test targets.

    Raises:
        InputError: it knows other items than the data have.
    """
    content = read_checkpoint(path)
    if len(content["item_ids"]) + 1 != splits.n_items:
        raise InputError(f"{path}: was trained on {len(content['item_ids']):,} items, not {splits.n_items - 1:,}")
    started = time.perf_counter()
    ranks = rank_targets(load_model(path), splits.test, max_length=splits.max_length, batch_size=4096)
    print(f"{name}: {len(ranks):,} targets ranked in {time.perf_counter() - started:.1f} s", flush=True)
    run = FinalistRun(
        finalist=Finalist(number=0, options={}),
        seed=content["config"]["seed"],
        epochs=content["epoch"],
        best_epoch=content["best_epoch"],
        seconds=sum(epoch["seconds"] for epoch in content["history"]),
        valid={"mrr_at_20": 0.0},  # the order is the command line's
        test={},
        ranks=ranks,
    )
    return Contender(model=name, params={}, runs=[run], trials=0, seconds=run.seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("models", nargs="+", metavar="NAME=CHECKPOINT")
    parser.add_argument("--name", default="checkpoints", help="of the result (default: checkpoints)")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--test_file", "--test-file")
    given = parser.parse_args(arguments)
    splits = load_splits(
        Config.from_flat({"dataset": given.dataset, "test_file": given.test_file, "valid_share": 0}).data
    )
    named = [argument.partition("=") for argument in given.models]
    contenders = [contender(name, Path(path), splits) for name, _, path in named]
    found = compare_models(
        contenders,
        splits.test,
        dataset=splits.name,
        fingerprint=splits.fingerprint,
        objective="MRR@20",
        metrics=METRICS,
        seed=2020,
    )
    rows: list[dict[str, object]] = []
    for row in found.rows:
        cells: dict[str, object] = {"model": row.model}
        for metric in METRICS:
            of_all = row.test[metric]
            cells[metric] = f"{100 * of_all.mean:.2f} [{100 * of_all.low:.2f}, {100 * of_all.high:.2f}]"
            ahead = None if row.ahead is None else row.ahead[metric]
            cells[f"behind in {metric}"] = (
                "" if ahead is None else f"{100 * ahead.mean:+.2f} [{100 * ahead.low:+.2f}, {100 * ahead.high:+.2f}]"
            )
        for each in row.by_length:
            gap = "" if each.ahead is None else _interval(each.ahead["Recall@20"])
            cells[f"{each.name} events"] = f"{100 * each.values['Recall@20'].mean:.1f}{gap}"
        rows.append(cells)
    write_results(
        given.name,
        title=f"Models on {splits.name}, test",
        notes=f"{found.n_targets:,} targets of {found.n_sessions:,} sessions; percent; 95 % intervals for other "
        "sessions; one seed each: they are about these models. "
        f"Behind {found.reference.model}: intervals that hold together for all models (Bonferroni). By length of the "
        "session: Recall@20, and in brackets how far it is behind there, with intervals that hold together for all "
        "models and lengths.",
        rows=rows,
        plot=True,
        module="checkpoints",
    )
    with atomic_file(RESULTS / f"{given.name}.png") as file:
        file.write(plot_by_length(found))
    for cells in rows:
        print(cells)
    return 0


def _interval(ahead: Difference) -> str:
    return f" ({100 * ahead.low:+.1f}, {100 * ahead.high:+.1f})"


if __name__ == "__main__":
    sys.exit(run_command(main))
