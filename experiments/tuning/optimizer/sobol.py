"""A scrambled Sobol sequence as a sampler, at any place of the sequence (docs/decisions/0018).

Sobol, "On the distribution of points in a cube", 1967; scrambled as by Matousek, 1998, in SciPy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial
from scipy.stats import qmc


class SobolSampler(BaseSampler):
    """Draws one point of the sequence; each parameter has its own coordinate.

    Args:
        seed: of the scrambling, which the points of one sequence share.
        index: of the point, from 0.
    """

    def __init__(self, *, seed: int, index: int) -> None:
        self._seed = seed
        self._index = index

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """None: the caller knows the space."""
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The point, by parameter; those that do not apply there are left to the caller to drop."""
        if not search_space:
            return {}
        sequence = qmc.Sobol(len(search_space), scramble=True, rng=np.random.default_rng(self._seed))
        if self._index:  # SciPy refuses to skip nothing
            sequence.fast_forward(self._index)
        shares = sequence.random(1)[0].tolist()
        return {
            name: quantile(distribution, share)
            for (name, distribution), share in zip(search_space.items(), shares, strict=True)
        }

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A parameter by itself, from a sequence of one dimension."""
        return self.sample_relative(study, trial, {param_name: param_distribution})[param_name]


def quantile(distribution: BaseDistribution, share: float) -> Any:
    """The value below which a share, in [0, 1), of uniform draws from a distribution lies.

    Whole numbers, steps and choices are as wide as one another; with `log`, uniform means uniform in the logarithm.
    """
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(share * len(distribution.choices))]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    low, high, step = distribution.low, distribution.high, distribution.step
    if distribution.log:
        margin = 0.5 if isinstance(distribution, IntDistribution) else 0.0
        first, last = math.log(low - margin), math.log(high + margin)
        value = min(max(math.exp(first + share * (last - first)), low), high)
        return round(value) if isinstance(distribution, IntDistribution) else value
    if step is None:
        return low + share * (high - low)
    n_values = round((high - low) / step) + 1
    # Decimal: 0.1 + 2 * 0.1 is 0.3, not 0.30000000000000004
    stepped = Decimal(str(low)) + Decimal(str(step)) * int(share * n_values)
    return int(stepped) if isinstance(distribution, IntDistribution) else float(stepped)
