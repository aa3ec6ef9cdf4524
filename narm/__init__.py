"""NARM and what it must beat: models, data, training and evaluation. Knows no Ray, Optuna or MLflow.

The names below are imported when they are first used: torch takes seconds, and reading options does not need it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from narm.checkpoint import load_model, save_checkpoint
    from narm.config import Config
    from narm.data.datasets import load_splits
    from narm.evaluation.full_ranking import evaluate
    from narm.model import NARM
    from narm.recommending import Recommender
    from narm.training import create_model, fit

_HOMES = {
    "NARM": "narm.model",
    "Config": "narm.config",
    "Recommender": "narm.recommending",
    "create_model": "narm.training",
    "evaluate": "narm.evaluation.full_ranking",
    "fit": "narm.training",
    "load_model": "narm.checkpoint",
    "load_splits": "narm.data.datasets",
    "save_checkpoint": "narm.checkpoint",
}

__all__ = [
    "NARM", "Config", "Recommender", "create_model", "evaluate", "fit", "load_model", "load_splits", "save_checkpoint",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'narm' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
