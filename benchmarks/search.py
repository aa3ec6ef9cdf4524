"""Searches replayed on recorded learning curves: what reaches the best configuration with the fewest epochs.

    python -m benchmarks.search
    python -m benchmarks.search --space narm

The table is that of `python -m benchmarks.curves`. Ours, the engine of `experiments` with every sampler and scheduler,
runs beside what a user would do instead: Ray Tune with its own OptunaSearch and ASHA, Optuna with a Hyperband pruner,
random search, RecBole's exhaustive search. All of them are real; only the training is looked up.
It takes some minutes, most of them in the Gaussian process.

A space that is not finite, such as narm, is replayed on a model of the recorded curves, which knows what any point
would come to. There is nothing to exhaust; searches have as many trials as the preset for that space, or as `--trials`
says. The results have the space's name, `results/search_narm.md`. This takes an hour, most of it in the sampler gp.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.curves import METRICS, load_curves
from benchmarks.recorded_space import recorded_space
from benchmarks.replay.curve_model import curve_model
from benchmarks.replay.measures import TOLERANCE, Outcome, expected_epochs
from benchmarks.replay.methods import (
    EXHAUSTIVE,
    OPTUNA_ALONE,
    PLAIN_RAY,
    PLAIN_RAY_IN_FULL,
    RANDOM,
    default_method,
    methods_for,
)
from benchmarks.replay.notes import NEAR, notes_on
from benchmarks.replay.table import curve_table
from benchmarks.replay.world import World
from benchmarks.results_file import RESULTS, write_results
from experiments.cli.presets import PRESETS
from experiments.cli.running import run_command
from narm.errors import InputError
from search_spaces.space import SearchSpace

BUDGETS = (30, 60, 120, 240)  # epochs after which regrets are compared
OTHERS = (PLAIN_RAY, OPTUNA_ALONE, RANDOM, EXHAUSTIVE)  # beside the default in the plot, as far as the space has them
WIDE = "full"  # the preset that searches a space which is not finite

Outcomes = Sequence[Outcome]


def number_of_trials(asked: int | None, space: SearchSpace) -> int:
    """Of every search: all configurations of a finite space, and otherwise what was asked for, or the preset's.

    Raises:
        InputError: a number for a finite space, whose exhaustive search would not be one; or no trial at all.
    """
    if asked is not None and asked < 1:
        raise InputError(f"trials: {asked} is below 1")
    if space.size is None:
        return asked or PRESETS[WIDE].trials
    if asked is not None:
        raise InputError(
            f"trials: {space.name} is finite, and a search tries all of its {space.size} configurations: leave the "
            "option out"
        )
    return space.size


def run(world: World, job: tuple[str, int], *, trials: int) -> Outcome:
    """One search: of a method, with a seed."""
    name, seed = job
    return methods_for(world.space)[name].run(world, seed, trials)


def run_all(world: World, *, trials: int, seeds: int, processes: int) -> Iterator[tuple[str, Outcomes]]:
    """Every method with every seed: its name, and the outcomes in the order of the seeds, as soon as they are there."""
    names = list(methods_for(world.space))
    jobs = [(name, seed) for name in names for seed in range(seeds)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        outcomes = pool.map(partial(run, world, trials=trials), jobs, chunksize=2)
        for name in names:
            yield name, list(islice(outcomes, seeds))


def row(name: str, outcomes: Outcomes, default: str) -> dict[str, object]:
    """A line of the table."""
    return {
        "search": f"**{name}**" if name == default else name,
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


def verdict(outcomes: Mapping[str, Outcomes], default: str) -> str:
    """The default beside what it replaces."""
    return _verdict_on_grid(outcomes, default) if EXHAUSTIVE in outcomes else _verdict_on_surface(outcomes, default)


def _verdict_on_grid(outcomes: Mapping[str, Outcomes], default: str) -> str:
    ours, ray, patient = (median_until_best(outcomes[name]) for name in (default, PLAIN_RAY, PLAIN_RAY_IN_FULL))
    exhaustive = float(np.median([one.epochs for one in outcomes[EXHAUSTIVE]]))
    return (
        f"Until within 1 % of the best the default takes {ours:.0f} epochs (median): {ours / patient:.2f} of plain Ray "
        f"Tune's {patient:.0f}, {ours / ray:.2f} of its {ray:.0f} with RecBole's early stopping in the trainable, and "
        f"1/{exhaustive / ours:.1f} of the {exhaustive:.0f} of an exhaustive search, which knows its winner when it is "
        "over."
    )


def _verdict_on_surface(outcomes: Mapping[str, Outcomes], default: str) -> str:
    """By regrets: where few searches come within 1 %, epochs until there tell little."""
    ours = outcomes[default]
    told = [
        f"*{name}* ends at {_percent(ends):.1f} % below the best, which the default has "
        f"{'never' if (epochs := epochs_to(float(np.mean(ends)), ours)) is None else f'after {epochs} epochs'}, with "
        f"{np.median([one.epochs for one in of_one]):.0f} epochs"
        for name, of_one in outcomes.items()
        if name in OTHERS
        for ends in [[float(one.regrets[-1]) for one in of_one]]
    ]
    return (
        f"The default, *{default}*, ends at {_percent([float(one.regrets[-1]) for one in ours]):.1f} % below the best "
        f"with {np.median([one.epochs for one in ours]):.0f} epochs (means of regrets, medians of epochs). "
        f"{'; '.join(told)}."
    )


def epochs_to(regret: float, outcomes: Outcomes) -> int | None:
    """Epochs after which the mean regret is so small for the first time; None: it never is."""
    longest = max(one.epochs for one in outcomes)
    means = (np.mean([one.regret_after(epochs) for one in outcomes]) for epochs in range(1, longest + 1))
    return next((epochs for epochs, mean in enumerate(means, start=1) if mean <= regret), None)


def median_until_best(outcomes: Outcomes) -> float:
    """Epochs until within 1 %, the median over the searches."""
    return float(np.median([one.until(TOLERANCE) for one in outcomes]))


def plot(outcomes: Mapping[str, Outcomes], default: str, path: Path) -> None:
    """Regret of the incumbent over the epochs spent."""
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for name in [name for name in (default, *OTHERS) if name in outcomes]:
        longest = max(one.epochs for one in outcomes[name])
        budgets = np.unique(np.geomspace(1, longest, 200).astype(int))
        mean = [np.mean([one.regret_after(int(budget)) for one in outcomes[name]]) for budget in budgets]
        axes.plot(budgets, 100 * np.array(mean), label=name, linewidth=2.5 if name == default else 1.2)
    axes.set(xscale="log", yscale="log", xlabel="epochs of all trials together", ylabel="regret of the incumbent, %")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=50, help="searches of each method (default: 50)")
    parser.add_argument("--space", default="recbole", help="a space of the table (default: recbole)")
    parser.add_argument(
        "--trials", type=int, help=f"of a search in a space that is not finite (default: {PRESETS[WIDE].trials})"
    )
    parser.add_argument("--objective", choices=METRICS, default="mrr_at_10", help="default: mrr_at_10")
    parser.add_argument("--processes", type=int, default=2, help="searches at once (default: 2)")
    given = parser.parse_args(arguments)
    space = recorded_space(given.space)
    trials = number_of_trials(given.trials, space)
    recorded = curve_table if space.size is not None else curve_model
    world = recorded(load_curves(), space, given.objective)
    notes = notes_on(world, trials)
    default = default_method(space, trials)
    outcomes: dict[str, Outcomes] = {}
    for name, of_one in run_all(world, trials=trials, seeds=given.seeds, processes=given.processes):
        outcomes[name] = of_one
        print(row(name, of_one, default), flush=True)
    rows = [row(name, of_one, default) for name, of_one in outcomes.items()]
    name, title = "search", "Searches replayed on recorded learning curves"
    if space.name != "recbole":
        name, title = f"search_{space.name}", f"{title}, in the space {space.name}"
    told = verdict(outcomes, default)
    write_results(name, title=title, notes=f"{told}\n\n{notes}", rows=rows, plot=True, module="search")
    plot(outcomes, default, RESULTS / f"{name}.png")
    print(told)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
