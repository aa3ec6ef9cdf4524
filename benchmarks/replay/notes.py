"""What a reader of replayed searches must know: of the table, of the simulated world, of the columns."""

from __future__ import annotations

import numpy as np

from benchmarks.replay.measures import TOLERANCE
from benchmarks.replay.table import CurveTable
from narm.config import Config

NEAR = 0.05  # what a search can be expected to tell, where 1 % is noise


def noise(table: CurveTable) -> str:
    """How far the table itself can be trusted."""
    regrets = table.regrets()
    near = {tolerance: int((regrets <= tolerance).sum()) for tolerance in (TOLERANCE, NEAR)}
    seeds = f"{table.n_seeds} seeds" if table.n_seeds > 1 else "one seed"
    told = (
        f"The table: {len(table.configurations)} configurations of {table.space.name} on ml-100k, {seeds} each, "
        f"{table.max_epochs} epochs at most. {_noise_of_seeds(table)} {near[TOLERANCE]} of the configurations are "
        f"within 1 % of the best, {near[NEAR]} within 5 %."
    )
    return told if table.is_finite else f"{told} {_noise_of_neighbours(table)}"


def _noise_of_seeds(table: CurveTable) -> str:
    best = table.values.max()
    if table.n_seeds == 1:
        return (
            f"The best value is {best:.4f}. With a single seed a configuration is worth its one value: the noise of "
            "seeds is part of that, the table cannot say how much, and the best is also a lucky one."
        )
    spread = float(np.sqrt(table.finals.var(axis=1, ddof=1).mean()))
    return (
        f"The best mean is {best:.4f}; the standard deviation over seeds is {spread:.4f}, or {spread / best:.0%} of "
        f"that, and {spread / best / table.n_seeds**0.5:.0%} for a mean: 1 % is less than 943 targets can tell."
    )


def _noise_of_neighbours(table: CurveTable) -> str:
    correlation = np.corrcoef(table.values, table.values[table.nearest.neighbours()])[0, 1]
    return (
        f"What a configuration is worth correlates by {correlation:.2f} with what the nearest other in the table is "
        "worth: so well does a recorded point stand in for what a search proposes (1: perfectly; 0: as any would)."
    )


def how(table: CurveTable, trials: int) -> str:
    """What was replayed, and what the columns are."""
    world = (_world(table),) if table.is_finite else (_world(table), _points(table, trials))
    return "\n\n".join((*world, COLUMNS, FINALISTS))


def _world(table: CurveTable) -> str:
    curve = (
        "one of its configuration's curves, drawn with the search's seed, so that all searches of a seed see the same "
        "world. The best is the largest mean over seeds."
        if table.n_seeds > 1
        else "its configuration's one curve, so that all searches see the same world. The best is the largest value."
    )
    return (
        f"Two trials at once{' (RecBole: one)' if table.is_finite else ''}, an epoch a unit of time. A trial gets "
        f"{curve} Every search sees a trial's best value so far (Ray's default would be the last), and trials stop "
        "early as RecBole's do; where a row says otherwise, each goes on to the last epoch without a new best."
    )


def _points(table: CurveTable, trials: int) -> str:
    default = table.space.from_options(Config.from_flat({"dataset": "ml-100k"}))
    assert default is not None  # or ours could not begin with it
    regret = table.regrets()[table.index(default)]
    return (
        f"The space is not finite: a search of {trials} trials proposes any points of it, and what it proposes counts "
        "as the recorded point nearest to that in the unit cube, where ranges go from 0 to 1, by the logarithm if they "
        "are drawn so, and different choices are 1 apart. The best is the best of the recorded points, and what finer "
        "steps than from one point to the next would gain is not to be seen. The default configuration, with which "
        f"ours begins, counts as its nearest point too: that one is {regret:.1%} below the best, and no other search "
        "is given it. Duplicates are not counted, since two proposals with the same nearest point are two "
        "configurations. There is no exhaustive search; the Gaussian process and CMA-ES are left out for the time that "
        "they take."
    )


COLUMNS = (
    "*Within 1 %*, *within 5 %*: epochs of all trials together until the incumbent, the configuration with the best "
    "value seen so far, is worth so much of the best; a search that never comes there counts with all its epochs. "
    "*Epochs a success*: what all searches spent until there, over the number of those that came there; unlike the "
    "median, it does not reward giving up early. *Found*: epochs until a configuration within 1 % was trained to "
    "within 1 % of its own curve's best. *Right*: within 1 % at the end. *Regret* is the incumbent's, in % of the "
    "best, the mean over searches, after so many epochs. Epochs are medians with quartiles."
)
FINALISTS = (
    "Ours has finalists, as by default, so that the default configuration is held up like any other trial; what they "
    "cost comes on top, for every method that wants to be sure."
)
