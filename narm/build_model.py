"""Builds the model that a config names."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import Any

from narm.bag import Bag
from narm.baselines.baseline import Baseline
from narm.config import Config
from narm.model import SessionEncoder
from narm.models import MODELS

Model = SessionEncoder | Baseline
"""A network, trained in epochs, or a baseline that is learned at once. Both score prefixes, and have a state_dict."""

TrainedModel = Model | Bag
"""What a checkpoint may hold to be used."""


def build_model(n_items: int, config: Config) -> Model:
    """The model that `config.model.model` names, untrained; a network's weights come from torch's generator.

    Args:
        n_items: items and the padding, V.
        config: all options; each model reads its own.
    """
    entry = MODELS[config.model.model]
    model_class: Any = resolve_name(entry.model_class)
    model: Model = model_class(n_items) if entry.takes is None else model_class(n_items, getattr(config, entry.takes))
    return model


def build_bag(n_items: int, config: Config, size: int) -> Bag:
    """A bag of so many networks of a config, untrained."""
    networks = [build_model(n_items, config) for _ in range(size)]
    return Bag([network for network in networks if isinstance(network, SessionEncoder)])
