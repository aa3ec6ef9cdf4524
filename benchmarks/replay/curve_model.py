"""A model of learning curves, where a space has more points than can be trained.

Searches are replayed on a regression of what was recorded (Eggensperger et al., "Efficient Benchmarking of
Hyperparameter Optimizers via Surrogates", AAAI 2015): a Gaussian process, since it tells points that it has not seen
better than trees do (docs/decisions/0017).
"""

from __future__ import annotations

import json
import warnings
import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import differential_evolution
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Kernel, Matern, WhiteKernel
from sklearn.model_selection import GroupKFold

from benchmarks.replay.positions import Positions
from benchmarks.replay.world import STREAM, Floats, Params
from narm.errors import InputError
from search_spaces.space import SearchSpace

LENGTHS = (0.05, 100.0)  # bounds of the length scales; a range is 1 long
FOLDS = 10
DRAWS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainings:
    """What was recorded of a space.

    Attributes:
        features: of the point of each training, float64[trainings, columns].
        curves: the objective's best so far by epoch, float64[trainings, epochs].
        points: which point each is of, int64[trainings].
    """

    features: Floats
    curves: Floats
    points: NDArray[np.int64]

    @property
    def n_points(self) -> int:
        """Different ones."""
        return len(np.unique(self.points))

    def regression(self) -> GaussianProcessRegressor:
        """A Gaussian process of whole curves: a length scale for each feature, and noise."""
        lengths = Matern(np.ones(self.features.shape[1]), LENGTHS, nu=2.5)
        return _regression(self.features, self.curves, ConstantKernel() * lengths + WhiteKernel())

    def left_out(self) -> Floats:
        """What each training comes to by regressions that have not seen its point, float64[trainings]."""
        predicted = np.empty(len(self.curves))
        kernel = self.regression().kernel_  # where every fold starts from, which is quicker
        folds = GroupKFold(FOLDS, shuffle=True, random_state=0).split(self.features, groups=self.points)
        for seen, unseen in folds:
            regression = _regression(self.features[seen], self.curves[seen], kernel)
            predicted[unseen] = regression.predict(self.features[unseen]).max(axis=1)
        return predicted

    def deviations(self) -> Floats:
        """Of the trainings of points with several seeds from the mean of their point, float64[trainings, epochs].

        As a share of the mean; of n seeds, larger by the root of n / (n - 1), since the mean is theirs.
        """
        of_points = [self.curves[self.points == point] for point in np.unique(self.points)]
        return np.concatenate(
            [
                (curves / curves.mean(axis=0) - 1) * (len(curves) / (len(curves) - 1)) ** 0.5
                for curves in of_points
                if len(curves) > 1
            ]
        )


def _regression(features: Floats, curves: Floats, kernel: Kernel) -> GaussianProcessRegressor:
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):  # a bound: the length is all the same
        return GaussianProcessRegressor(kernel, normalize_y=True).fit(features, curves)


@dataclass(frozen=True)
class CurveModel:
    """What any point of a space would come to, by the curves of those that were trained.

    A training is the mean curve of its point, with the deviation of some recorded training: as much as seeds make of
    it, and as it is over the epochs. None stops early.

    Attributes:
        space: which.
        trainings: of some of its points.
    """

    space: SearchSpace
    trainings: Trainings

    @property
    def max_epochs(self) -> int:
        """Of every curve."""
        return int(self.trainings.curves.shape[1])

    def curve(self, params: Params, seed: int, repetition: int) -> Floats:
        """Of one training, float64[epochs]."""
        point = zlib.crc32(json.dumps(dict(params), sort_keys=True).encode())
        drawn = np.random.default_rng([STREAM, seed, point, repetition]).integers(len(self._deviations))
        mean = self._mean(self._positions.of([params]))[0]
        return np.asarray(np.maximum.accumulate(mean * (1 + self._deviations[drawn])))

    def regret(self, params: Params) -> float:
        """How far below the best a point is, as a share of the best."""
        return float(self.regrets(self._positions.of([params]))[0])

    def regrets(self, positions: Floats) -> Floats:
        """The same of many, float64[points]."""
        return np.asarray(1 - self._mean(positions)[:, -1] / self.best)

    def share_within(self, tolerance: float) -> float:
        """How much of the space is that near to the best, by draws from it."""
        return float((self.regrets(self._positions.drawn(DRAWS, seed=0)) <= tolerance).mean())

    def without_early_stopping(self) -> CurveModel:
        """The same."""
        return self

    @cached_property
    def best(self) -> float:
        """What the best point is worth, the end of its mean curve; hardly one that was recorded."""
        found = differential_evolution(
            lambda positions: -self._mean(positions.T)[:, -1],
            [(0, highest) for highest in self._positions.highest],
            integrality=self._positions.whole,
            vectorized=True,
            updating="deferred",
            rng=0,
        )
        return float(-found.fun)

    def posterior(self, n_points: int, *, seed: int) -> tuple[Floats, Floats]:
        """What is known of points drawn from the space, without the noise of seeds.

        Returns:
            the mean curve of each, float64[points, epochs], and the covariance of what they come to,
            float64[points, points].
        """
        positions = self._positions.drawn(n_points, seed)
        _, covariance = self._regression.predict(self._positions.features(positions), return_cov=True)
        kernel, scale = self._regression.kernel_, float(self.trainings.curves[:, -1].var())
        return self._mean(positions), covariance[..., -1] - kernel.k2.noise_level * scale * np.eye(n_points)

    def _mean(self, positions: Floats) -> Floats:
        """The mean curve of each point, float64[points, epochs]."""
        predicted = self._regression.predict(self._positions.features(positions))
        return np.asarray(np.maximum.accumulate(predicted, axis=1))

    @cached_property
    def _positions(self) -> Positions:
        return Positions(self.space)

    @cached_property
    def _regression(self) -> GaussianProcessRegressor:
        return self.trainings.regression()

    @cached_property
    def _deviations(self) -> Floats:
        return self.trainings.deviations()


def curve_model(rows: pd.DataFrame, space: SearchSpace, objective: str) -> CurveModel:
    """The model of a space, from rows such as `benchmarks.curves` keeps.

    A training that stopped early counts as if it had gone on without a new best. Points that the space has no longer
    are left out.

    Args:
        rows: columns space, params (JSON), seed, epoch and the objective; a row an epoch.
        space: which of the spaces in the rows.
        objective: column to search by, larger is better.
    Raises:
        InputError: too few points to learn from, or none with several seeds; the space has conditions.
    """
    rows = rows[rows["space"] == space.name].sort_values("epoch")
    points = {text: point for text in rows["params"].unique() if space.contains(point := json.loads(text))}
    rows = rows[rows["params"].isin(list(points))]
    trainings = [one for _, one in rows.groupby(["params", "seed"])]
    recorded = [str(one["params"].iloc[0]) for one in trainings]
    again = len(recorded) - len(points)
    if len(points) < FOLDS or not again:
        raise InputError(
            f"curves: a model takes {FOLDS} points and some with another seed; of {space.name} there are {len(points)} "
            f"and {again}: run `python -m benchmarks.curves --space {space.name} --points 200 --seeds 2`"
        )
    epochs = max(len(one) for one in trainings)
    padded = [np.pad(one[objective].to_numpy(float), (0, epochs - len(one)), mode="edge") for one in trainings]
    positions = Positions(space)
    return CurveModel(
        space,
        Trainings(
            features=positions.features(positions.of(points[text] for text in recorded)),
            curves=np.maximum.accumulate(padded, axis=1),
            points=np.unique(recorded, return_inverse=True)[1],
        ),
    )
