"""What a model costs where it is used: megabytes of weights, and milliseconds a request.

Neither depends on what the weights are: a network can be appraised before it is trained.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import Tensor

from narm.baselines.baseline import Baseline
from narm.build_model import build_model
from narm.checkpoint import load_model
from narm.config import Config
from narm.data.sessions import Examples, Splits
from narm.machine.device import resolve_device
from narm.recommending import Recommender

K = 20
REQUESTS = 100
REQUESTS_BEFORE_TRAINING = 40
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a configuration costs, as far as its model's shape decides it.

    Attributes:
        n_parameters: numbers in the model that training changes.
        megabytes: weights, in 10^6 bytes.
        request_ms: milliseconds of a request, as in `Footprint`; None: not measured.
    """

    n_parameters: int
    megabytes: float
    request_ms: float | None = None

    @property
    def known(self) -> dict[str, float]:
        """Those that are known, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def costs_of_shape(config: Config, n_items: int) -> Costs:
    """The size of a network; nothing of it is made.

    Args:
        config: of the network.
        n_items: items and the padding.
    """
    with torch.device("meta"):
        model = build_model(n_items, config)
    return Costs(n_parameters=model.n_parameters, megabytes=_megabytes(model.state_dict().values()))


def measure_untrained(config: Config, splits: Splits, *, device: str = "cpu") -> Costs:
    """Measure a model that nobody has trained, by requests of the validation split.

    A baseline that is learned at once learns, since it has nothing to be asked of before.

    Args:
        config: of the model.
        splits: the data.
        device: auto, cpu or cuda.
    """
    model = build_model(splits.n_items, config)
    place = resolve_device(device)
    if isinstance(model, Baseline):
        place = torch.device("cpu")
        model.learn(splits.train)
    megabytes = _megabytes(model.state_dict().values())  # before items are frozen, which no file holds
    if not isinstance(model, Baseline):
        model.to(place).eval()
        model.freeze_items()
    recommender = Recommender(model, splits.vocabulary, splits.max_length, str(place))
    return Costs(
        n_parameters=model.n_parameters,
        megabytes=megabytes,
        request_ms=_milliseconds(recommender, splits.valid, REQUESTS_BEFORE_TRAINING),
    )


def measure_footprint(checkpoint: Path, examples: Examples, *, device: str = "cpu") -> Footprint:
    """Measure the model of a checkpoint.

    Args:
        checkpoint: of the model.
        examples: one or more, whose prefixes are asked.
        device: auto, cpu or cuda.
    """
    weights = load_model(checkpoint).state_dict().values()
    recommender = Recommender.load(checkpoint, device=device)
    return Footprint(megabytes=_megabytes(weights), milliseconds=_milliseconds(recommender, examples, REQUESTS))


def _megabytes(weights: Iterable[Tensor]) -> float:
    return sum(tensor.nbytes for tensor in weights) / 1e6


def _milliseconds(recommender: Recommender, examples: Examples, requests: int) -> float:
    """Median of so many requests, after some that are not counted."""
    asked = list(_sessions(recommender, examples, WARM_UP + requests))
    return 1e3 * median([_seconds(recommender, session) for session in asked][WARM_UP:])


def _sessions(recommender: Recommender, examples: Examples, count: int) -> Iterator[list[object]]:
    """Prefixes of examples that lie evenly among all, in raw ids; some come twice where there are few."""
    ids = recommender.vocabulary.ids
    for example in np.linspace(0, len(examples) - 1, count).astype(int):
        yield list(ids[examples.prefix(example, recommender.max_length) - 1].tolist())


def _seconds(recommender: Recommender, session: Sequence[object]) -> float:
    started = time.perf_counter()
    recommender.recommend([session], K)
    return time.perf_counter() - started
