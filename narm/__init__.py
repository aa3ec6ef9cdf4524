"""NARM and what it must beat: models, data, training and evaluation. Knows no Ray, Optuna or MLflow."""

from narm.checkpoint import load_model, save_checkpoint
from narm.config import Config
from narm.data.datasets import load_splits
from narm.evaluation import evaluate
from narm.model import NARM
from narm.training import create_model, fit

__all__ = ["NARM", "Config", "create_model", "evaluate", "fit", "load_model", "load_splits", "save_checkpoint"]
