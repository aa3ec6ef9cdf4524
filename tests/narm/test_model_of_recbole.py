"""NARM against what RecBole 1.2.1 computed with the same weights (tests/golden/README.md says how)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from narm.config import ModelConfig
from narm.data.packing import pack_padded
from narm.losses.functional import bpr, full_softmax
from narm.model import NARM

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(params=[1, 2], ids=["1 layer", "2 layers"])
def recbole(request):
    with np.load(GOLDEN / f"narm_{request.param}_layer.npz") as recorded:
        return {"n_layers": request.param, **recorded}


def load(recbole, weights: str = "state") -> NARM:
    config = ModelConfig(embedding_size=8, hidden_size=12, n_layers=recbole["n_layers"], dropout_probs=(0, 0))
    model = NARM(30, config)
    state = {name.partition("/")[2]: value for name, value in recbole.items() if name.startswith(f"{weights}/")}
    model.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()}, strict=True)
    return model


def batch(recbole) -> tuple[torch.Tensor, ...]:
    return tuple(torch.from_numpy(recbole[name]) for name in ("prefixes", "lengths", "targets", "negatives"))


def test_a_state_dict_of_recbole_loads_strictly_and_scores_the_same(recbole):
    prefixes, lengths, *_ = batch(recbole)
    with torch.no_grad():
        scores = load(recbole).eval().scores(prefixes, lengths)
    np.testing.assert_allclose(scores[:, 1:], recbole["scores"][:, 1:], rtol=1e-5, atol=1e-5)
    assert (scores[:, 0] == -torch.inf).all()


def encode(model: NARM, prefixes: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    items, layout, order = pack_padded(prefixes, lengths)
    return model.encode(items, layout), order


def assert_gradients(model: NARM, recbole, loss: str) -> None:
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(parameter.grad, recbole[f"{loss}_gradient/{name}"], rtol=1e-8, atol=1e-12)


def test_the_cross_entropy_and_its_gradients_are_recboles(recbole):
    model = load(recbole).double()
    prefixes, lengths, targets, _ = batch(recbole)
    hidden, order = encode(model, prefixes, lengths)
    loss = full_softmax(hidden, model.item_embedding.weight, targets[order])
    loss.backward()
    assert loss.item() == pytest.approx(recbole["ce_loss"].item(), rel=1e-12)
    assert_gradients(model, recbole, "ce")


def test_the_bpr_loss_and_its_gradients_are_recboles(recbole):
    model = load(recbole).double()
    prefixes, lengths, targets, negatives = batch(recbole)
    hidden, order = encode(model, prefixes, lengths)
    positive, negative = ((hidden * model.item_embedding(items[order])).sum(dim=1) for items in (targets, negatives))
    loss = bpr(positive, negative)
    loss.backward()
    assert loss.item() == pytest.approx(recbole["bpr_loss"].item(), rel=1e-12)
    assert_gradients(model, recbole, "bpr")


def test_initial_weights_are_drawn_as_recbole_draws_them(recbole):
    torch.manual_seed(2020)
    model = NARM(30, ModelConfig(embedding_size=8, hidden_size=12, n_layers=recbole["n_layers"]))
    for name, value in model.state_dict().items():
        assert torch.equal(value, torch.from_numpy(recbole[f"initial/{name}"])), name
