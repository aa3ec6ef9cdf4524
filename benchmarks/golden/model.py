"""Records a tiny NARM of RecBole: its parameters, scores, losses and gradients."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

import benchmarks.recbole_setup  # noqa: F401  (silences RecBole before its first import)

from recbole.data.interaction import Interaction  # type: ignore[import-not-found]  # isort: skip
from recbole.model.sequential_recommender.narm import NARM  # type: ignore[import-not-found]  # isort: skip

N_ITEMS = 30
EMBEDDING_SIZE = 8
HIDDEN_SIZE = 12
MAX_PREFIX = 50
LENGTHS = (1, 1, 2, 2, 3, 4, 5, 6, 7, 9, 11, 14, 17, 21, 26, 32, 38, 44, 49, 50)
SEED = 2020
OVERFIT_STEPS = 15


def record_model(folder: Path) -> None:
    """Record the model with one and with two layers."""
    torch.set_num_threads(1)  # tiny products: threads would cost more than they give, and reorder sums
    for n_layers in (1, 2):
        arrays: dict[str, Any] = model_arrays(n_layers)
        np.savez_compressed(folder / f"narm_{n_layers}_layer.npz", **arrays)


def model_arrays(n_layers: int) -> dict[str, np.ndarray]:
    """Return one model's parameters, a batch, and what RecBole computes of them, by name.

    Losses and gradients are computed in float64 from the float32 parameters, so that they are exact to a
    reader who does the same; scores are recorded in both.
    """
    batch = random_batch()
    cross_entropy, pairwise = build("CE", n_layers), build("BPR", n_layers)
    initial = named_arrays("initial", cross_entropy.state_dict())
    overfit(cross_entropy, batch)
    pairwise.load_state_dict(cross_entropy.state_dict())
    arrays = initial | named_arrays("state", cross_entropy.state_dict())
    arrays |= {
        "prefixes": array(batch["item_id_list"]),
        "lengths": array(batch["item_length"]),
        "targets": array(batch["item_id"]),
        "negatives": array(batch["neg_item_id"]),
        "scores_float32": array(cross_entropy.full_sort_predict(batch)),
        "scores": array(cross_entropy.double().full_sort_predict(batch)),
    }
    for name, model in (("ce", cross_entropy), ("bpr", pairwise.double())):
        model.zero_grad()
        loss = model.calculate_loss(batch)
        loss.backward()
        arrays[f"{name}_loss"] = array(loss)
        gradients = {parameter: value.grad for parameter, value in model.named_parameters()}
        arrays |= named_arrays(f"{name}_gradient", gradients)
    return arrays


def build(loss_type: str, n_layers: int) -> Any:
    """Return RecBole's NARM as it initialises it after torch.manual_seed(SEED), without dropout."""
    torch.manual_seed(SEED)
    config = {
        "USER_ID_FIELD": "user_id",
        "ITEM_ID_FIELD": "item_id",
        "LIST_SUFFIX": "_list",
        "ITEM_LIST_LENGTH_FIELD": "item_length",
        "NEG_PREFIX": "neg_",
        "MAX_ITEM_LIST_LENGTH": MAX_PREFIX,
        "embedding_size": EMBEDDING_SIZE,
        "hidden_size": HIDDEN_SIZE,
        "n_layers": n_layers,
        "dropout_probs": [0.0, 0.0],
        "loss_type": loss_type,
        "device": torch.device("cpu"),
    }
    return NARM(config, SimpleNamespace(num=lambda field: N_ITEMS))


def overfit(model: Any, batch: Any) -> None:
    """Train on the batch until scores differ by units: at initialisation they do so by hundredths only.

    A wrong gate or a missing attention would hide in a tolerance of 1e-5 there.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(OVERFIT_STEPS):
        optimizer.zero_grad()
        model.calculate_loss(batch).backward()
        optimizer.step()


def random_batch() -> Any:
    """Return prefixes of every length class, right-padded with 0 to 50, with targets and negatives."""
    generator = np.random.default_rng(SEED)
    prefixes = np.zeros((len(LENGTHS), MAX_PREFIX), dtype=np.int64)
    for row, length in enumerate(LENGTHS):
        prefixes[row, :length] = generator.integers(1, N_ITEMS, length)
    targets = generator.integers(1, N_ITEMS, len(LENGTHS))
    shift = generator.integers(1, N_ITEMS - 1, len(LENGTHS))
    negatives = (targets - 1 + shift) % (N_ITEMS - 1) + 1  # never the target, never 0
    fields = {
        "item_id_list": prefixes,
        "item_length": np.array(LENGTHS),
        "item_id": targets,
        "neg_item_id": negatives,
    }
    return Interaction({name: torch.from_numpy(values) for name, values in fields.items()})


def array(value: Tensor) -> np.ndarray:
    """Return a tensor's values as an array of the same type."""
    return value.detach().numpy().copy()


def named_arrays(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Return the tensors' values under `prefix/name`."""
    return {f"{prefix}/{name}": array(value) for name, value in tensors.items()}
