"""How the weights move: the optimizer, the step size over a run, and the average of the weights.

All of it follows from the options and from how far training has come, so that a resumed run goes on bit for bit.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from narm.config import TrainingConfig
from narm.model import SessionEncoder


def build_optimizer(model: SessionEncoder, training: TrainingConfig) -> torch.optim.Optimizer:
    """What `optimizer` names: Adam (Kingma & Ba, ICLR 2015), AdamW (Loshchilov & Hutter, ICLR 2019) or Adagrad.

    Adagrad (Duchi et al., JMLR 2011) is GRU4Rec's. A learned temperature is never decayed.
    """
    optimizer: Any = OPTIMIZERS[training.optimizer]
    weights = [parameter for name, parameter in model.named_parameters() if not name.startswith("scoring.")]
    groups: list[dict[str, Any]] = [{"params": weights}]
    if of_scoring := list(model.scoring.parameters()):
        groups.append({"params": of_scoring, "weight_decay": 0.0})
    built: torch.optim.Optimizer = optimizer(
        groups, lr=training.learning_rate, weight_decay=training.weight_decay, fused=True
    )
    return built


def _uncompiled(optimizer: type[torch.optim.Optimizer]) -> Any:
    """The same optimizer, whose methods are those that torch wraps for `torch.compile`.

    The first call of a wrapper imports torch's compiler, 800 modules with sympy: over two seconds of CPU time in every
    process that trains, for nothing, since nothing is compiled here.
    """
    wrapped = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")
    methods = {name: inspect.unwrap(getattr(optimizer, name)) for name in wrapped}
    step = torch.no_grad()(inspect.unwrap(optimizer.step))
    return type(optimizer.__name__, (optimizer,), {**methods, "step": step})


OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": _uncompiled(torch.optim.Adam),
    "adamw": _uncompiled(torch.optim.AdamW),
    "adagrad": _uncompiled(torch.optim.Adagrad),
}
"""By `optimizer`."""


def learning_rate(training: TrainingConfig, passes: float) -> float:
    """The step size after so many passes over the training sessions, whole and begun."""
    warmth = min(1.0, passes / training.warmup_passes) if training.warmup_passes else 1.0
    return training.learning_rate * warmth * SCHEDULES[training.learning_rate_schedule](training, passes)


def _decay(training: TrainingConfig, passes: float) -> float:
    return float(training.learning_rate_decay ** math.floor(passes))


def _linear(training: TrainingConfig, passes: float) -> float:
    return max(0.0, 1 - passes * training.epochs_per_pass / training.epochs)


def _cosine(training: TrainingConfig, passes: float) -> float:
    return (1 + math.cos(math.pi * min(1.0, passes * training.epochs_per_pass / training.epochs))) / 2


SCHEDULES: dict[str, Callable[[TrainingConfig, float], float]] = {
    "decay": _decay,
    "linear": _linear,
    "cosine": _cosine,
}
"""By `learning_rate_schedule`: the share of the step size that is left."""

STATE_OPTIONS = frozenset({"optimizer"})
"""Options on which the optimizer's state depends, which one run can thus not inherit from another with others."""

ENDS_WITH_EPOCHS = frozenset({"linear", "cosine"})
"""Schedules that depend on `epochs`, which is thus no longer free when a run is resumed."""


class WeightAverage:
    """An average of a network's weights over its last steps, which is what is validated and shipped.

    Polyak & Juditsky, SIAM J. Control Optim. 1992; exponential, as in Tarvainen & Valpola, "Mean teachers are better
    role models", NeurIPS 2017. It reaches back over `averaging_passes` passes, but over a ninth of the steps so far at
    most: the weights of the beginning have no place in it.

    Args:
        model: the network.
        horizon: steps that it reaches back.
    """

    def __init__(self, model: SessionEncoder, horizon: float) -> None:
        self._horizon = max(horizon / UPDATE_EVERY, 1.0)
        self._average = AveragedModel(model, multi_avg_fn=self._move)

    @property
    def model(self) -> SessionEncoder:
        """The network with the averaged weights."""
        averaged = self._average.module
        assert isinstance(averaged, SessionEncoder)
        return averaged

    def update(self, model: nn.Module, step: int) -> None:
        """Take in the weights after a step of the epoch, from 0; most steps are skipped, which changes little."""
        if step % UPDATE_EVERY == 0:
            self._average.update_parameters(model)

    def state_dict(self) -> dict[str, Tensor]:
        """The average, and how many weights it is of."""
        return self._average.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from another one's state."""
        self._average.load_state_dict(state)

    def _move(self, averaged: Any, current: Any, n_averaged: Any) -> None:
        weight = max(1 / self._horizon, 9 / (10 + float(n_averaged)))
        for one, other in zip(averaged, current, strict=True):
            one.lerp_(other, weight)


def averaged_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of the network in a `WeightAverage.state_dict`."""
    module = "module."
    return {name.removeprefix(module): tensor for name, tensor in state.items() if name.startswith(module)}


UPDATE_EVERY = 4
"""Steps between two updates of the average, which reads and writes all weights."""


def build_average(model: SessionEncoder, training: TrainingConfig, steps_per_pass: float) -> WeightAverage | None:
    """The average that `averaging_passes` asks for; None: the weights count as they are."""
    if not training.averaging_passes:
        return None
    return WeightAverage(model, training.averaging_passes * steps_per_pass)
