"""Which options each model uses; any other one would silently do nothing, and is an error."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from narm.config import (
    ItemKNNConfig,
    ModelConfig,
    ModelName,
    NeighborsConfig,
    SequentialRulesConfig,
    TrainingConfig,
    options,
)
from narm.errors import InputError

_OF_EVERY_MODEL = {"model", "seed", "eval_step"}
"""Beside data and evaluation. The seed is also that of a search."""

_NARM = {*ModelConfig.model_fields, *TrainingConfig.model_fields}
_NEIGHBORHOOD = {"k_neighbors", "sample_size"}
_STAN = {"session_decay", "recency_decay", "neighbor_decay"}

_OWN: dict[ModelName, set[str]] = {
    "narm": _NARM,
    "global": _NARM - {"attention"},
    "local": _NARM,
    "pop": set(),
    "s_pop": set(),
    "item_knn": {*ItemKNNConfig.model_fields},
    "bpr_mf": {"embedding_size", *TrainingConfig.model_fields} - {"loss_type", "softmax_samples", "softmax_alpha"},
    "sr": {*SequentialRulesConfig.model_fields},
    "s_knn": _NEIGHBORHOOD,
    "v_sknn": {*NeighborsConfig.model_fields} - _STAN,
    "stan": _NEIGHBORHOOD | _STAN,
}


@cache
def used_options(model: ModelName) -> tuple[str, ...]:
    """Names of the options on which a run of this model depends, those of data and evaluation among them."""
    used = _OWN[model] | _OF_EVERY_MODEL
    return tuple(name for name, option in options().items() if option.section in ("data", "evaluation") or name in used)


def searchable_options(model: ModelName) -> tuple[str, ...]:
    """Names of the options that a search of this model may vary."""
    return tuple(name for name in used_options(model) if options()[name].searchable)


def check_used(model: ModelName, names: Iterable[str]) -> None:
    """Check that a model uses all of these options.

    Raises:
        InputError: it does not use one of them; the message lists those of its own.
    """
    for name in names:
        if name not in used_options(model):
            own = [known for known in options() if known in _OWN[model] - _OF_EVERY_MODEL]
            its = f"its options: {', '.join(own)}" if own else "it has no options of its own"
            raise InputError(f"{name} is no option of model {model}; {its}")
