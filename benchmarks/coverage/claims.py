"""How often a difference is claimed between runs that differ in their seeds alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from narm.evaluation.paired_difference import Configuration, Difference, RunMoments, difference, seed_noise

FINALISTS = 5  # a search has four, and the default configuration: over them the noise of the seeds is pooled


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Share of the draws in which a difference was claimed, by either interval.

    Attributes:
        sessions_alone: by the one that knows other sessions only.
        sessions_and_seeds: by the one that knows other seeds, too; None where there was one seed each.
    """

    sessions_alone: float
    sessions_and_seeds: float | None


def false_claims(moments: RunMoments, seeds_each: int, draws: int, rng: np.random.Generator) -> Claims:
    """Draw runs as those of finalists, and compare the first with the second.

    Args:
        moments: those of the runs, all of one configuration.
        seeds_each: runs of a finalist; there are two finalists at least, and as many as the runs allow.
        draws: how often.
        rng: of the draws.
    """
    n_runs = len(moments.means)
    n_finalists = min(FINALISTS, n_runs // seeds_each)
    alone = held = 0
    for _ in range(draws):
        drawn = rng.permutation(n_runs)[: n_finalists * seeds_each].reshape(n_finalists, seeds_each)
        finalists = [Configuration(runs) for runs in drawn.tolist()]
        noise, (first, second, *_) = seed_noise(moments, finalists), finalists
        alone += _is_claimed(difference(moments, first, second, None))
        held += noise is not None and _is_claimed(difference(moments, first, second, noise))
    return Claims(sessions_alone=alone / draws, sessions_and_seeds=held / draws if seeds_each > 1 else None)


def _is_claimed(found: Difference) -> bool:
    return found.low > 0 or found.high < 0
