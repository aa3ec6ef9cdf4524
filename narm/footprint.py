"""What a model costs where it is used: megabytes of weights, and milliseconds a request."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from narm.checkpoint import load_model
from narm.data.sessions import Examples
from narm.recommending import Recommender

K = 20
REQUESTS = 100
WARM_UP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """The cost of using a model.

    Attributes:
        megabytes: weights, in 10^6 bytes: what a file of the model holds, beside the item ids.
        milliseconds: median of requests of one session each, for the best 20 items, on the threads of this process.
    """

    megabytes: float
    milliseconds: float


def measure_footprint(checkpoint: Path, examples: Examples, *, device: str = "cpu") -> Footprint:
    """Measure the model of a checkpoint.

    Args:
        checkpoint: of the model.
        examples: one or more, whose prefixes are asked.
        device: auto, cpu or cuda.
    """
    weights = load_model(checkpoint).state_dict().values()
    recommender = Recommender.load(checkpoint, device=device)
    asked = list(_sessions(recommender, examples))
    return Footprint(
        megabytes=sum(tensor.nbytes for tensor in weights) / 1e6,
        milliseconds=1e3 * median([_seconds(recommender, session) for session in asked][WARM_UP:]),
    )


def _sessions(recommender: Recommender, examples: Examples) -> Iterator[list[object]]:
    """Prefixes of examples that lie evenly among all, in raw ids; some come twice where there are few."""
    ids = recommender.vocabulary.ids
    for example in np.linspace(0, len(examples) - 1, WARM_UP + REQUESTS).astype(int):
        yield list(ids[examples.prefix(example, recommender.max_length) - 1].tolist())


def _seconds(recommender: Recommender, session: Sequence[object]) -> float:
    started = time.perf_counter()
    recommender.recommend([session], K)
    return time.perf_counter() - started
