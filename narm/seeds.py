"""Seeds derived from seeds: the parts of a run are independent, and each can be repeated without the others."""

from __future__ import annotations

import numpy as np


def derived_seed(seed: int, number: int) -> int:
    """The seed, in [0, 2^32), of part `number` of a run: an epoch of a training, a trial of a study."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
