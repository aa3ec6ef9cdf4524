"""NARM against an independent numpy forward pass, and one pass over a session against its prefixes one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.ring import random_sessions
from torch.nn import functional

from narm.config import ModelConfig
from narm.data.packing import pack, pack_padded
from narm.data.sessions import Examples
from narm.data.windows import cut_prefixes, cut_windows
from narm.errors import InputError
from narm.model import NARM


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def numpy_narm(weights: dict[str, np.ndarray], prefix: np.ndarray, config: ModelConfig) -> np.ndarray:
    """The paper's equations, one event after the other, without torch: scores of all items, [V]."""
    inputs = weights["item_embedding.weight"][prefix]
    for layer in range(config.n_layers):
        h, states = np.zeros(config.hidden_size), []
        for x in inputs:
            gi = weights[f"gru.weight_ih_l{layer}"] @ x
            gh = weights[f"gru.weight_hh_l{layer}"] @ h
            if config.gru_bias:
                gi, gh = gi + weights[f"gru.bias_ih_l{layer}"], gh + weights[f"gru.bias_hh_l{layer}"]
            (ir, iz, inn), (hr, hz, hn) = np.split(gi, 3), np.split(gh, 3)
            r, z = sigmoid(ir + hr), sigmoid(iz + hz)
            h = (1 - z) * np.tanh(inn + r * hn) + z * h
            states.append(h)
        inputs = np.array(states)
    last = inputs[-1]
    if config.encoder == "global":
        return weights["item_embedding.weight"] @ weights["b.weight"] @ last
    alpha = sigmoid(inputs @ weights["a_1.weight"].T + weights["a_2.weight"] @ last) @ weights["v_t.weight"][0]
    if config.attention == "softmax":
        alpha = np.exp(alpha) / np.exp(alpha).sum()
    decoded = {"hybrid": [alpha @ inputs, last], "local": [alpha @ inputs]}[config.encoder]
    return weights["item_embedding.weight"] @ weights["b.weight"] @ np.concatenate(decoded)


@pytest.mark.parametrize("name", ["narm", "global", "local"])
@pytest.mark.parametrize("attention", ["sum", "softmax"])
@pytest.mark.parametrize("gru_bias", [False, True])
@pytest.mark.parametrize("n_layers", [1, 2])
def test_the_forward_pass_is_the_papers(name, attention, gru_bias, n_layers):
    config = ModelConfig(
        model=name, embedding_size=7, hidden_size=11, n_layers=n_layers, attention=attention, gru_bias=gru_bias
    )
    torch.manual_seed(0)
    model = NARM(30, config).double().eval()
    weights = {name: value.numpy() for name, value in model.state_dict().items()}
    rng = np.random.default_rng(0)
    lengths = torch.from_numpy(rng.integers(1, 13, 17))
    prefixes = torch.zeros(17, 12, dtype=torch.long)
    for row, n in enumerate(lengths):
        prefixes[row, :n] = torch.from_numpy(rng.integers(1, 30, int(n)))
    with torch.no_grad():
        scores = model.scores(prefixes, lengths).numpy()
    for row, n in enumerate(lengths):
        expected = numpy_narm(weights, prefixes[row, :n].numpy(), config)
        np.testing.assert_allclose(scores[row, 1:], expected[1:], rtol=1e-9, atol=1e-12)
    assert (scores[:, 0] == -np.inf).all()


def gradients(model: NARM, windows) -> dict[str, torch.Tensor]:
    """Of the summed loss over all examples of the windows."""
    model.zero_grad()
    batch = pack(windows, np.arange(len(windows)))
    logits = model.encode(batch.items, batch.layout) @ model.item_embedding.weight.T
    functional.cross_entropy(logits, batch.targets, reduction="sum").backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("name", ["narm", "global", "local"])
@pytest.mark.parametrize("attention", ["sum", "softmax"])
def test_all_prefixes_in_one_pass_give_the_gradients_of_prefix_by_prefix(name, attention):
    examples = Examples.every_prefix(random_sessions(25, 40, 12))
    torch.manual_seed(1)
    config = ModelConfig(
        model=name,
        embedding_size=6,
        hidden_size=9,
        n_layers=2,
        attention=attention,
        gru_bias=True,
        dropout_probs=(0, 0),
    )
    model = NARM(40, config).double()
    one_pass = gradients(model, cut_windows(examples, 12, 6))
    prefix_by_prefix = gradients(model, cut_prefixes(examples, 12))
    for name in one_pass:
        torch.testing.assert_close(one_pass[name], prefix_by_prefix[name], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ["narm", "global", "local"])
def test_a_cosine_divides_the_papers_score_by_both_lengths_and_the_temperature(name):
    torch.manual_seed(0)
    options = {"model": name, "embedding_size": 7, "hidden_size": 11}
    cosine = NARM(30, ModelConfig(**options, scoring="cosine", temperature=0.5)).double().eval()
    dot = NARM(30, ModelConfig(**options)).double().eval()
    dot.load_state_dict({name: value for name, value in cosine.state_dict().items() if "scoring" not in name})
    prefixes, lengths = torch.tensor([[3, 9, 4], [7, 2, 0]]), torch.tensor([3, 2])
    with torch.no_grad():
        items, layout, order = pack_padded(prefixes, lengths)
        sessions = dot.encode(items, layout).norm(dim=1)
        expected = (
            dot.scores(prefixes, lengths)[order] / sessions[:, None] / dot.item_embedding.weight.norm(dim=1) / 0.5
        )
        torch.testing.assert_close(cosine.scores(prefixes, lengths)[order], expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("scoring", ["dot", "cosine"])
def test_unit_events_leave_the_lengths_of_the_embeddings_out_of_what_is_read(scoring):
    torch.manual_seed(0)
    model = NARM(10, ModelConfig(embedding_size=4, hidden_size=4, scoring=scoring, unit_events=True)).eval()
    items, layout, _ = pack_padded(torch.tensor([[1, 2, 3]]), torch.tensor([3]))
    with torch.no_grad():
        before = model.encode(items, layout)
        model.item_embedding.weight.mul_(torch.arange(1, 11).unsqueeze(1))
        torch.testing.assert_close(model.encode(items, layout), before)


def test_frozen_items_score_as_before_and_follow_no_change():
    torch.manual_seed(0)
    model = NARM(10, ModelConfig(embedding_size=4, hidden_size=4, scoring="cosine")).eval()
    asked = torch.tensor([[1, 2]]), torch.tensor([2])
    with torch.no_grad():
        before = model.scores(*asked)
        model.freeze_items()
        assert torch.equal(model.scores(*asked), before)
        assert model.item_vectors() is model.item_vectors()


@pytest.mark.parametrize(("built", "given"), [("cosine", "dot"), ("dot", "cosine")])
def test_weights_of_another_scoring_are_refused_in_one_line(built, given):
    weights = NARM(10, ModelConfig(scoring=given)).state_dict()
    with pytest.raises(InputError, match=f"trained with {given}, this model has {built}") as refused:
        NARM(10, ModelConfig(scoring=built)).load_state_dict(weights)
    assert "\n" not in str(refused.value)


def test_padding_and_the_company_of_others_change_no_score():
    torch.manual_seed(2)
    model = NARM(30, ModelConfig(embedding_size=5, hidden_size=6)).double().eval()
    prefix = torch.tensor([[3, 9, 4, 0, 0], [7, 0, 0, 0, 0]])
    with torch.no_grad():
        together = model.scores(prefix, torch.tensor([3, 1]))
        alone = model.scores(prefix[:1, :3], torch.tensor([3]))
    torch.testing.assert_close(together[:1], alone, rtol=1e-12, atol=0)


@pytest.mark.parametrize("length", [0, 4])
def test_a_length_outside_the_prefix_is_refused(length):
    model = NARM(10, ModelConfig(embedding_size=4, hidden_size=4))
    with pytest.raises(ValueError, match=r"1\.\.3"):
        model.scores(torch.ones(2, 3, dtype=torch.long), torch.tensor([2, length]))


@pytest.mark.parametrize(
    ("name", "parts", "decoder"),
    [
        ("narm", {"item_embedding", "gru", "a_1", "a_2", "v_t", "b"}, (5, 12)),
        ("global", {"item_embedding", "gru", "b"}, (5, 6)),
        ("local", {"item_embedding", "gru", "a_1", "a_2", "v_t", "b"}, (5, 6)),
    ],
)
def test_an_ablation_has_no_weights_that_it_does_not_use(name, parts, decoder):
    model = NARM(10, ModelConfig(model=name, embedding_size=5, hidden_size=6))
    assert {parameter.partition(".")[0] for parameter in model.state_dict()} == parts
    assert model.b.weight.shape == decoder
