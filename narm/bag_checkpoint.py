"""Makes a bag of training runs: their checkpoints become one, which is for use like that of a single run.

Its `model` has the weights of all members, and its `members` a record of each run: seed, epochs, validation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from narm.bag import Bag
from narm.checkpoint import load_model, read_checkpoint, save_for_use
from narm.config import OPTIONS, Config
from narm.errors import InputError
from narm.machine.files import atomic_file
from narm.model import SessionEncoder

# What may differ between the runs of a bag: the seed, and how long they may train.
_OWN_OF_A_RUN = {"seed", "epochs", "stopping_step"}
_OF_THE_MODEL = {name for name, option in OPTIONS.items() if option.section not in ("data", "evaluation")}
# The fingerprint of the data does not know how much of a prefix the model sees.
_SHARED = {"max_item_list_length"} | _OF_THE_MODEL - _OWN_OF_A_RUN


def save_bag(checkpoints: Sequence[Path], path: Path) -> None:
    """Write the bag of several runs of one configuration, each with the weights of its best epoch, for use.

    Args:
        checkpoints: of the runs, one or more; the bag of one is its model.
        path: for the bag.
    Raises:
        InputError: a checkpoint is missing, torn, or none of ours; or they are of different configurations or data, or
            of a model that is learned at once.
    """
    first, *others = checkpoints
    if not others:
        save_for_use(first, path)
        return
    contents = {checkpoint: read_checkpoint(checkpoint) for checkpoint in checkpoints}
    for other in others:
        _check_alike(other, contents[other], first, contents[first])
    shared = {name: contents[first][name] for name in ("format", "config", "dataset", "fingerprint", "item_ids")}
    content = {
        **shared,
        "refit": contents[first].get("refit", "none"),
        "model": Bag([_network(checkpoint) for checkpoint in checkpoints]).state_dict(),
        "members": [_record(saved) for saved in contents.values()],
        "best_weights": None,
        "average": None,
    }
    with atomic_file(path) as file:
        torch.save(content, file)


def _network(checkpoint: Path) -> SessionEncoder:
    model = load_model(checkpoint)
    if not isinstance(model, SessionEncoder):
        raise InputError(f"{checkpoint}: a bag takes single networks, and this is a {type(model).__name__}")
    return model


def _record(saved: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a run in a bag."""
    return {"seed": saved["config"]["seed"], **{name: saved[name] for name in ("epoch", "best_epoch", "best")}}


def _check_alike(path: Path, saved: Mapping[str, Any], first: Path, expected: Mapping[str, Any]) -> None:
    """Refuse a run of another configuration than the first, or on other data."""
    if saved["fingerprint"] != expected["fingerprint"]:
        raise InputError(f"{path}: was trained on other data than {first}; a bag takes runs on the same data")
    own, wanted = Config.from_flat(saved["config"]).flat(), Config.from_flat(expected["config"]).flat()
    for name in wanted:
        if name in _SHARED and own[name] != wanted[name]:
            raise InputError(
                f"{path}: was trained with {name} {own[name]}, and {first} with {wanted[name]}; "
                "a bag takes runs of one configuration"
            )
