"""Searches replayed on recorded learning curves: what reaches the best configuration with the fewest epochs.

    python -m benchmarks.search

The table is that of `python -m benchmarks.curves`. Ours, the engine of `experiments` with every sampler and scheduler,
runs beside what a user would do instead: Ray Tune with its own OptunaSearch and ASHA, Optuna with a Hyperband pruner,
random search, RecBole's exhaustive search. All of them are real; only the training is looked up.
It takes some minutes, most of them in the Gaussian process.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.curves import METRICS, load_curves
from benchmarks.replay.measures import TOLERANCE, Outcome, expected_epochs
from benchmarks.replay.methods import DEFAULT, EXHAUSTIVE, PLAIN_RAY, PLAIN_RAY_IN_FULL, methods_for
from benchmarks.replay.table import CurveTable, curve_table
from benchmarks.results_file import RESULTS, write_results
from experiments.command_line import run_command
from search_spaces.space import load_space

NEAR = 0.05  # what a search can be expected to tell, where 1 % is noise
BUDGETS = (30, 60, 120, 240)  # epochs after which regrets are compared
PLOTTED = (DEFAULT, PLAIN_RAY, "Optuna, TPE + Hyperband pruner", "random search in full", EXHAUSTIVE)

Outcomes = Sequence[Outcome]


def run(table: CurveTable, job: tuple[str, int]) -> Outcome:
    """One search: of a method, with a seed."""
    name, seed = job
    return methods_for(table)[name].run(table, seed)


def run_all(table: CurveTable, *, seeds: int, processes: int) -> dict[str, Outcomes]:
    """Every method with every seed; the outcomes by method, in the order of the seeds."""
    names = list(methods_for(table))
    jobs = [(name, seed) for name in names for seed in range(seeds)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        outcomes = list(pool.map(partial(run, table), jobs, chunksize=10))
    return {name: outcomes[seeds * index : seeds * (index + 1)] for index, name in enumerate(names)}


def row(name: str, outcomes: Outcomes) -> dict[str, object]:
    """A line of the table."""
    return {
        "search": f"**{name}**" if name == DEFAULT else name,
        "epochs": quartiles([one.epochs for one in outcomes]),
        "within 1 %": quartiles([one.until(TOLERANCE) for one in outcomes]),
        "by": share([one.reached(TOLERANCE) is not None for one in outcomes]),
        "epochs a success": _rounded(expected_epochs(outcomes)),
        "within 5 %": quartiles([one.until(NEAR) for one in outcomes]),
        "found": quartiles([one.epochs if one.found is None else one.found for one in outcomes]),
        "found by": share([one.found is not None for one in outcomes]),
        "right": share([one.regrets[-1] <= TOLERANCE for one in outcomes]),
        **{f"regret at {budget}": _percent([one.regret_after(budget) for one in outcomes]) for budget in BUDGETS},
        "at the end": _percent([float(one.regrets[-1]) for one in outcomes]),
        "duplicates": round(float(np.mean([one.duplicates for one in outcomes])), 1),
    }


def quartiles(values: Sequence[int]) -> str:
    """The median, and the quartiles."""
    low, median, high = np.percentile(values, (25, 50, 75))
    return f"{median:.0f} ({low:.0f}-{high:.0f})"


def share(holds: Sequence[bool]) -> str:
    """Of the searches for which it holds."""
    return f"{np.mean(holds):.0%}"


def _rounded(epochs: float) -> int | str:
    return round(epochs) if np.isfinite(epochs) else "never"


def _percent(regrets: Sequence[float]) -> float:
    return round(100 * float(np.mean(regrets)), 1)


def noise(table: CurveTable) -> str:
    """How far the table itself can be trusted."""
    best, regrets = table.values.max(), table.regrets()
    spread = float(np.sqrt(table.finals.var(axis=1, ddof=1).mean()))
    near = {tolerance: int((regrets <= tolerance).sum()) for tolerance in (TOLERANCE, NEAR)}
    return (
        f"The table: {len(table.configurations)} configurations of {table.space.name} on ml-100k, {table.n_seeds} "
        f"seeds each, {table.max_epochs} epochs at most. The best mean is {best:.4f}; the standard deviation over "
        f"seeds is {spread:.4f}, or {spread / best:.0%} of that, and {spread / best / table.n_seeds**0.5:.0%} for a "
        f"mean: 1 % is less than 943 targets can tell. {near[TOLERANCE]} of the configurations are within 1 % of the "
        f"best, {near[NEAR]} within 5 %."
    )


def verdict(outcomes: Mapping[str, Outcomes]) -> str:
    """The default beside what it replaces."""
    ours, ray, patient = (median_until_best(outcomes[name]) for name in (DEFAULT, PLAIN_RAY, PLAIN_RAY_IN_FULL))
    exhaustive = float(np.median([one.epochs for one in outcomes[EXHAUSTIVE]]))
    return (
        f"Until within 1 % of the best the default takes {ours:.0f} epochs (median): {ours / patient:.2f} of plain Ray "
        f"Tune's {patient:.0f}, {ours / ray:.2f} of its {ray:.0f} with RecBole's early stopping in the trainable, and "
        f"1/{exhaustive / ours:.1f} of the {exhaustive:.0f} of an exhaustive search, which knows its winner when it is "
        "over."
    )


def median_until_best(outcomes: Outcomes) -> float:
    """Epochs until within 1 %, the median over the searches."""
    return float(np.median([one.until(TOLERANCE) for one in outcomes]))


HOW = (
    "Two trials at once (RecBole: one), an epoch a unit of time. A trial gets one of its configuration's curves, drawn "
    "with the search's seed, so that all searches of a seed see the same world. The best is the largest mean over "
    "seeds. Every search sees a trial's best value so far (Ray's default would be the last), and trials stop early as "
    "RecBole's do; where a row says otherwise, each goes on to the last epoch without a new best.\n\n"
    "*Within 1 %*, *within 5 %*: epochs of all trials together until the incumbent, the configuration with the best "
    "value seen so far, is worth so much of the best; a search that never comes there counts with all its epochs. "
    "*Epochs a success*: what all searches spent until there, over the number of those that came there; unlike the "
    "median, it does not reward giving up early. *Found*: epochs until a configuration within 1 % was trained to "
    "within 1 % of its own curve's best. *Right*: within 1 % at the end. *Regret* is the incumbent's, in % of the "
    "best, the mean over searches, after so many epochs. Epochs are medians with quartiles.\n\n"
    "Ours has finalists, as by default, so that the default configuration is held up like any other trial; what they "
    "cost comes on top, for every method that wants to be sure."
)


def plot(outcomes: Mapping[str, Outcomes], path: Path) -> None:
    """Regret of the incumbent over the epochs spent."""
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for name in PLOTTED:
        longest = max(one.epochs for one in outcomes[name])
        budgets = np.unique(np.geomspace(1, longest, 200).astype(int))
        mean = [np.mean([one.regret_after(int(budget)) for one in outcomes[name]]) for budget in budgets]
        axes.plot(budgets, 100 * np.array(mean), label=name, linewidth=2.5 if name == DEFAULT else 1.2)
    axes.set(xscale="log", yscale="log", xlabel="epochs of all trials together", ylabel="regret of the incumbent, %")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=50, help="searches of each method (default: 50)")
    parser.add_argument("--space", default="recbole", help="a finite space of the table (default: recbole)")
    parser.add_argument("--objective", choices=METRICS, default="mrr_at_10", help="default: mrr_at_10")
    parser.add_argument("--processes", type=int, default=2, help="searches at once (default: 2)")
    given = parser.parse_args(arguments)
    table = curve_table(load_curves(), load_space(given.space), given.objective)
    outcomes = run_all(table, seeds=given.seeds, processes=given.processes)
    rows = [row(name, of_one) for name, of_one in outcomes.items()]
    write_results(
        "search",
        title="Searches replayed on recorded learning curves",
        notes="\n\n".join((verdict(outcomes), noise(table), HOW)),
        rows=rows,
        plot=True,
    )
    plot(outcomes, RESULTS / "search.png")
    for line in rows:
        print(line)
    print(verdict(outcomes))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
