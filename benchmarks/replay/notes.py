"""What a reader of replayed searches must know: of the curves, of the simulated world, of the columns."""

from __future__ import annotations

import numpy as np

from benchmarks.replay.curve_model import FOLDS, CurveModel
from benchmarks.replay.measures import TOLERANCE
from benchmarks.replay.table import CurveTable
from narm.config import Config

NEAR = 0.05  # what a search can be expected to tell, where 1 % is noise


def notes_on(world: CurveTable | CurveModel, trials: int) -> str:
    """All of them, for searches of so many trials."""
    own = _of_table(world) if isinstance(world, CurveTable) else _of_model(world, trials)
    return "\n\n".join((*own, COLUMNS, FINALISTS))


def _of_table(table: CurveTable) -> tuple[str, str]:
    best = table.values.max()
    spread = float(np.sqrt(table.finals.var(axis=1, ddof=1).mean())) / best
    return (
        f"The table: {len(table.configurations)} configurations of {table.space.name} on ml-100k, {table.n_seeds} "
        f"seeds each, {table.max_epochs} epochs at most. The best mean is {best:.4f}; the standard deviation over "
        f"seeds is {spread * best:.4f}, or {spread:.0%} of that, and {spread / table.n_seeds**0.5:.0%} for a mean: 1 % "
        f"is less than 943 targets can tell. {(table.regrets <= TOLERANCE).sum()} of the configurations are within "
        f"1 % of the best, {(table.regrets <= NEAR).sum()} within 5 %.",
        f"{WORLD.format(trials=' (RecBole: one)')} A trial gets one of its configuration's curves, drawn with the "
        "search's seed, so that all searches of a seed see the same world. The best is the largest mean over seeds. "
        "Trials stop early as RecBole's do; where a row says otherwise, each goes on to the last epoch without a new "
        "best.",
    )


def _of_model(model: CurveModel, trials: int) -> tuple[str, str, str]:
    recorded, final = model.trainings, model.trainings.curves[:, -1]
    default = model.space.from_options(Config.from_flat({"dataset": "ml-100k"}))
    assert default is not None  # or ours could not begin with it
    spread = float(np.sqrt((recorded.deviations()[:, -1] ** 2).mean()))
    left_out = recorded.left_out()
    error = float(np.sqrt(((left_out - final) ** 2).mean())) / model.best
    near = model.share_within(TOLERANCE), model.share_within(NEAR)
    return (
        f"The curves: {len(final)} trainings at {recorded.n_points} random points of {model.space.name} on ml-100k, "
        f"{len(final) - recorded.n_points} of them with another seed, {model.max_epochs} epochs at most. Over seeds "
        f"the best value of a training has a standard deviation of {spread:.0%}.",
        "Searches propose any points of the space, and a model tells what these would come to: a Gaussian process of "
        "the recorded curves (docs/decisions/0017). What it says of points that it has not seen correlates by "
        f"{np.corrcoef(left_out, final)[0, 1]:.2f} with what they came to, and is off by {error:.0%} of the best (root "
        f"mean square, {FOLDS}-fold cross-validation), the noise of seeds included. The best is the model's, "
        f"{model.best:.4f} (the luckiest recorded training came to {final.max():.4f}), {near[0]:.2%} of the space is "
        f"within 1 % of it, {near[1]:.1%} within 5 %, and the default configuration, with which ours begins, is "
        f"{model.regret(default):.1%} below it. A model is smoother than the truth: what is within 1 % of its best has "
        "not been shown to be so in training.",
        f"{WORLD.format(trials='')} A trial is a training of its point: the mean curve that the model tells, with the "
        "deviation of a recorded training from the mean of its own seeds, drawn with the search's seed. None stops "
        f"early, as all but a few of those recorded. A search has {trials} trials. There is no exhaustive search; the "
        "Gaussian process draws for `asha` only and CMA-ES not at all, for the time that they take.",
    )


WORLD = (
    "Two trials at once{trials}, an epoch a unit of time. Every search sees a trial's best value so far (Ray's default "
    "would be the last)."
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
    "Ours has finalists, as by default, so that the default configuration is paused like any other trial; what they "
    "cost comes on top, for every method that wants to be sure."
)
