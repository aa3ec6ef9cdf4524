"""How many finalists a search needs, and how their seeds are best given out: by turns, or as the race says.

    python -m benchmarks.finalists

Out of sample: what a configuration is truly worth is drawn from what the recorded curves say of it, and all trainings
have other seeds (`benchmarks.replay.posterior`). In each such world a search is replayed, its best trials become
finalists, and the race of `experiments` gives them seeds; only the training is drawn. It takes a minute or two.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.curves import load_curves
from benchmarks.recorded_space import recorded_space
from benchmarks.replay.curve_model import curve_model
from benchmarks.replay.posterior import Ranked, Worlds, grid_worlds, halved, wide_worlds
from benchmarks.replay.table import curve_table
from benchmarks.replay.world import Floats
from benchmarks.results_file import write_results
from experiments.cli.presets import PRESETS
from experiments.cli.running import run_command
from experiments.tuning.engine.racing import Bounds, Racer, next_turn, standings
from experiments.tuning.optimizer.halving import rungs
from experiments.tuning.optimizer.scheduler import REDUCTION
from experiments.tuning.optimizer.schedulers import GRACE_EPOCHS, SURVIVORS

OBJECTIVE = "mrr_at_10"
MOST_FINALISTS = 8
MOST_SEEDS = 24
QUICK, FULL = PRESETS["quick"], PRESETS["full"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How finalists get their seeds.

    Attributes:
        name: of the rule.
        finalists: how many.
        seeds: of one finalist, at most.
        runs: of all, at most.
        races: whether the race says who is next; else all take turns.
        trials_count: whether the value of a trial counts as one of a run.
    """

    name: str
    finalists: int
    seeds: int
    runs: int
    races: bool = True
    trials_count: bool = True


def by_turns(finalists: int, seeds: int, name: str = "by turns", *, trials_count: bool = False) -> Rule:
    """Every finalist has as many seeds."""
    return Rule(
        name=name, finalists=finalists, seeds=seeds, runs=finalists * seeds, races=False, trials_count=trials_count
    )


RULES = (
    by_turns(1, 0, "no finalists"),
    by_turns(4, 2, "by turns, `quick` before"),
    by_turns(4, 2, "by turns, trials count", trials_count=True),
    Rule(name="race, trials do not count", finalists=4, seeds=4, runs=8, trials_count=False),
    Rule(name="**race, `quick`**", finalists=4, seeds=4, runs=8),
    Rule(name="race", finalists=4, seeds=8, runs=8),
    Rule(name="race", finalists=6, seeds=8, runs=8),
    by_turns(4, 4),
    Rule(name="race", finalists=4, seeds=8, runs=16),
    Rule(name="race", finalists=6, seeds=8, runs=16),
    Rule(name="race", finalists=8, seeds=8, runs=16),
    by_turns(4, 5, "by turns, `full` before"),
    Rule(name="race", finalists=4, seeds=8, runs=18),
    Rule(name="**race, `full`**", finalists=6, seeds=8, runs=18),
    by_turns(8, 3),
    Rule(name="race", finalists=8, seeds=12, runs=24),
)
"""A preset has two runs more, those of the default configuration, which is hardly ever a rival of the best."""


def race(rule: Rule, values: Floats, trials: Sequence[float | None]) -> tuple[int, int]:
    """Give the finalists of one search their seeds.

    Args:
        rule: how.
        values: of the runs that there would be, float64[finalists, seeds].
        trials: values of the trials that count.
    Returns:
        the place of the winner, and how many runs there were.
    """
    racers = [
        Racer(number=place, trial=trials[place] if rule.trials_count else None) for place in range(rule.finalists)
    ]
    for run in range(rule.runs):
        number = _next(rule, racers, run)
        if number is None:
            break
        begun = len(racers[number].runs)
        racers[number] = replace(racers[number], runs=values[number, : begun + 1].tolist())
    known = standings(racers)
    winner = min(known, key=lambda place: (-known[place].mean, place), default=0)
    return winner, sum(len(racer.runs) for racer in racers)


def _next(rule: Rule, racers: Sequence[Racer], run: int) -> int | None:
    if not rule.races:
        return run % len(racers)
    return next_turn(racers, Bounds(seeds=rule.seeds, runs=rule.runs)).number


def outcomes(rule: Rule, found: Ranked, values: Floats) -> tuple[Floats, Floats]:
    """Regrets of what ships, and runs, of a search of every world.

    Args:
        rule: how seeds are given.
        found: what the searches found.
        values: of all runs that there would be, float64[worlds, finalists, seeds].
    """
    regrets, runs = [], []
    for world, of_world in enumerate(values):
        trials = [
            float(value) if is_complete else None
            for value, is_complete in zip(
                found.values[world, :MOST_FINALISTS], found.is_complete[world, :MOST_FINALISTS], strict=True
            )
        ]
        place, trained = race(rule, of_world, trials)
        regrets.append(found.regrets[world, place])
        runs.append(trained)
    return np.array(regrets), np.array(runs, dtype=np.float64)


def searched(worlds: Worlds, trials: int, grace_epochs: int, seed: int) -> tuple[Ranked, Floats]:
    """The best trials of a search of each world, and values of runs of them, float64[worlds, finalists, seeds]."""
    found = halved(
        worlds,
        trials=trials,
        rungs=rungs(worlds.max_epochs, grace_epochs, REDUCTION),
        reduction=REDUCTION,
        survivors=SURVIVORS,
        seed=seed,
    )
    finalists = np.repeat(found.configurations[:, :MOST_FINALISTS], MOST_SEEDS, axis=1)
    values = worlds.drawn(finalists, np.random.default_rng([seed, 2]))[..., -1]
    return found, values.reshape(len(values), MOST_FINALISTS, MOST_SEEDS)


def rows(spaces: Sequence[tuple[str, Ranked, Floats]]) -> Iterator[dict[str, object]]:
    """The table, line by line."""
    for rule in RULES:
        line: dict[str, object] = {
            "seeds are given": rule.name,
            "finalists": rule.finalists if rule.runs else 0,
            "seeds at most": rule.seeds,
            "runs at most": rule.runs,
        }
        for name, found, values in spaces:
            regrets, runs = outcomes(rule, found, values)
            error = regrets.std() / len(regrets) ** 0.5
            line |= {
                f"regret, {name}": f"{100 * regrets.mean():.2f} ± {100 * error:.2f} %",
                f"within 1 %, {name}": f"{(regrets <= 0.01).mean():.0%}",
                f"runs, {name}": f"{runs.mean():.1f}",
            }
        yield line


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--worlds", type=int, default=2000, help="to search, of each space (default: 2000)")
    parser.add_argument("--seed", type=int, default=2020, help="of all draws (default: 2020)")
    given = parser.parse_args(arguments)
    curves = load_curves()
    grid = grid_worlds(curve_table(curves, recorded_space("recbole"), OBJECTIVE), given.worlds, given.seed)
    wide = wide_worlds(curve_model(curves, recorded_space("narm"), OBJECTIVE), given.worlds, given.seed)
    spaces = [
        ("grid", *searched(grid, grid.worth.shape[1], QUICK.grace_epochs or GRACE_EPOCHS, given.seed)),
        ("wide", *searched(wide, FULL.trials, FULL.grace_epochs or GRACE_EPOCHS, given.seed)),
    ]
    lines = []
    for line in rows(spaces):
        lines.append(line)
        print(line, flush=True)
    write_results(
        "finalists",
        title="Which finalists a search needs, and how many seeds",
        notes=_notes(given.worlds, grid, wide),
        rows=lines,
    )
    return 0


def _notes(n_worlds: int, grid: Worlds, wide: Worlds) -> str:
    return (
        f"Out of sample: {n_worlds:,} worlds of RecBole's grid, and as many of the wide space, drawn from what the "
        "recorded curves say of each configuration. In each a search by successive halving, of all "
        f"{grid.worth.shape[1]} configurations of the grid, or of {FULL.trials} random ones of the wide space, leaves "
        "its best trials as finalists. *Regret* is how far what ships is truly below the best configuration that was "
        "tried, the mean with its standard error. Over seeds a training has a standard deviation of "
        f"{grid.noise:.1%} on the grid and {wide.noise:.1%} in the wide space, those of recorded trainings that come "
        "to half of the best or more. All rules see the same searches and the same runs. *By turns*: every finalist "
        "has as many seeds, and the best mean over the runs ships. *Race*: `experiments.tuning.engine.racing` says who "
        "is next, and stops when no other can win. The default configuration is no finalist here; in a search it has "
        "two runs more."
    )


if __name__ == "__main__":
    sys.exit(run_command(main))
