"""How many finalists a search needs: replayed searches, whose best trials are trained again.

    python -m benchmarks.finalists

Searches with the defaults are replayed on recorded curves, as in benchmarks.search. The best k of a search are trained
again with the seeds of the table that their trials did not have, and the one with the best mean is the winner; with
k = 1 it is the best trial. What a winner is worth is its mean over all seeds of the table.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from benchmarks.benchmark_parser import benchmark_parser
from benchmarks.curves import load_curves
from benchmarks.replay.methods import DEFAULT, methods_for
from benchmarks.replay.table import CurveTable, curve_table
from benchmarks.replay.world import Step, replay
from benchmarks.results_file import write_results
from experiments.cli.running import run_command
from search_spaces.space import load_space

NUMBERS = (1, 2, 3, 4, 6)


def last_steps(table: CurveTable, seed: int) -> list[Step]:
    """Of a search with the defaults, the last epoch of each trial, from the best trial down."""
    method = methods_for(table.space)[DEFAULT]
    search = method.search(table, seed, len(table.configurations))
    last = {step.trial: step for step in replay(search, table, seed=seed, workers=method.workers)}
    return sorted(last.values(), key=lambda step: -step.value)


def winner(ranked: Sequence[Step], k: int, table: CurveTable) -> int:
    """The configuration that k finalists leave."""
    if k == 1:
        return table.index(ranked[0].params)
    return table.index(max(ranked[:k], key=lambda step: _trained_again(step, table)).params)


def _trained_again(step: Step, table: CurveTable) -> float:
    """The mean of its configuration over the seeds that its trial did not have."""
    finals = table.finals[table.index(step.params)]
    had = int(np.argmin(np.abs(finals - step.ceiling)))
    return float(np.delete(finals, had).mean())


def row(k: int, winners: Sequence[int], table: CurveTable) -> dict[str, object]:
    """A line of the table."""
    regrets = table.regrets[list(winners)]
    return {
        "finalists": k,
        "mean regret": f"{regrets.mean():.1%}",
        "within 1 % of the best": f"{(regrets <= 0.01).mean():.0%}",
        "within 5 %": f"{(regrets <= 0.05).mean():.0%}",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="searches (default: 200)")
    given = parser.parse_args(arguments)
    table = curve_table(load_curves(), load_space("recbole"), "mrr_at_10")
    searches = [last_steps(table, seed) for seed in range(given.seeds)]
    rows = [row(k, [winner(ranked, k, table) for ranked in searches], table) for k in NUMBERS]
    for line in rows:
        print(line)
    write_results(
        "finalists",
        title="How many finalists a search needs",
        notes=f"{given.seeds} searches of RecBole's grid with the defaults, on recorded curves of three seeds: two for "
        "the finalists, and one for the trial. The trial's seed, often a lucky one, counts in what a configuration is "
        "worth and not in the choice among finalists: the lines beyond 1 look worse than they are, all alike.",
        rows=rows,
    )
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
