"""Builds the model that a config names."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import Any

from narm.baselines.baseline import Baseline
from narm.config import Config
from narm.model import SessionEncoder
from narm.models import MODELS

Model = SessionEncoder | Baseline
"""A network, trained in epochs, or a baseline that is learned at once. Both score prefixes, and have a state_dict."""


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
