"""Checkpoints: written whole or not at all, and read without running any code.

A checkpoint holds a training run as it stands after an epoch (model, optimizer, early stopping), the weights of its
best epoch, and what is needed to score new sessions: the configuration and the raw item ids. `refit` says what it has
learned from beside train, which thus cannot judge it; earlier versions wrote none. A checkpoint that is for use only
has the model alone, which may be a bag: then `members` has a record of each run that is in it.
"""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from narm.baselines.baseline import Baseline
from narm.build_model import TrainedModel, build_bag, build_model
from narm.config import Config
from narm.data.sessions import ItemVocabulary, Splits
from narm.errors import InputError
from narm.machine.device import resolve_device
from narm.machine.files import atomic_file
from narm.optimization import averaged_weights
from narm.training_state import TrainingState

FORMAT = "narm-checkpoint-1"


def save_checkpoint(path: Path, state: TrainingState, *, config: Config, splits: Splits) -> None:
    """Write the run as it stands; `path` holds the old file or the new one, never a part."""
    ids = splits.vocabulary.ids
    content = {
        "format": FORMAT,
        "config": config.flat(),
        "dataset": splits.name,
        "fingerprint": splits.fingerprint,
        "refit": splits.refit,
        "item_ids": torch.from_numpy(np.array(ids)) if ids.dtype.kind in "iu" else [str(raw) for raw in ids],
        "model": state.model.state_dict(),
        "optimizer": state.optimizer.state_dict() if state.optimizer else None,
        "average": state.average.state_dict() if state.average else None,
        "epoch": state.epoch,
        "misses": state.misses,
        "best_epoch": state.best_epoch,
        "best": state.best,
        "best_weights": state.best_weights,
        "history": [epoch.record() for epoch in state.history],
    }
    with atomic_file(path) as file:
        torch.save(content, file)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, on the CPU.

    Raises:
        InputError: the file is missing, torn, or no checkpoint of ours.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # torch warns of a foreign pickle before it refuses it
            content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(f"{path}: no such checkpoint") from None
    except pickle.UnpicklingError:  # torch's own words advise to run whatever code the file holds
        raise InputError(f"{path}: not a checkpoint of NARM Search ({FORMAT}), or torn") from None
    except (OSError, RuntimeError, EOFError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: not a readable checkpoint: {reason}") from None
    except Exception:  # a file of another kind, which torch's unpickler takes for a program: IndexError, KeyError, ...
        raise InputError(f"{path}: not a checkpoint of NARM Search ({FORMAT})") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{path}: not a checkpoint of NARM Search ({FORMAT})")
    return content


def save_for_use(checkpoint: Path, path: Path) -> None:
    """Write a checkpoint again with the weights of its best epoch, and without what only more training needs.

    Raises:
        InputError: the checkpoint is missing, torn, or none of ours.
    """
    content = read_checkpoint(checkpoint)
    content["model"] = _weights_for_use(content)
    content.pop("optimizer", None)  # a checkpoint that is for use has none
    with atomic_file(path) as file:
        torch.save({**content, "best_weights": None, "average": None}, file)


def load_model(path: Path, *, device: str = "cpu") -> TrainedModel:
    """The model with the weights of its best epoch (of the last one, if it was never validated), or a bag of such.

    Args:
        path: of a checkpoint.
        device: auto, cpu or cuda; a baseline that is learned at once stays on the CPU.
    """
    content = read_checkpoint(path)
    n_items, config, members = len(content["item_ids"]) + 1, Config.from_flat(content["config"]), content.get("members")
    model: TrainedModel = build_model(n_items, config) if members is None else build_bag(n_items, config, len(members))
    model.load_state_dict(_weights_for_use(content))
    return model if isinstance(model, Baseline) else model.to(resolve_device(device)).eval()


def _weights_for_use(content: dict[str, Any]) -> dict[str, Any]:
    """As `TrainingState.weights_for_use`, of a checkpoint's content."""
    if content["best_weights"] or not content.get("average"):
        weights: dict[str, Any] = content["best_weights"] or content["model"]
        return weights
    return averaged_weights(content["average"])


def load_vocabulary(path: Path) -> ItemVocabulary:
    """The items that the model of a checkpoint knows."""
    ids = read_checkpoint(path)["item_ids"]
    return ItemVocabulary(ids.numpy() if isinstance(ids, torch.Tensor) else np.array(ids))
