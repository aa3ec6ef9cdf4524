"""Scores by products and by cosines, and what becomes of the temperature."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from narm.config import ModelConfig
from narm.layers.scoring import LOWEST_TEMPERATURE, Cosine, DotProduct, build_scoring


def test_a_product_leaves_both_sides_as_they_are():
    scoring, rows = build_scoring(ModelConfig()), torch.randn(3, 4)
    assert isinstance(scoring, DotProduct)
    assert scoring.of_sessions(rows) is rows
    assert scoring.of_items(rows) is rows
    assert not scoring.state_dict()


@pytest.mark.parametrize("learned", [False, True])
def test_a_cosine_is_divided_by_the_temperature(learned):
    torch.manual_seed(0)
    scoring = build_scoring(ModelConfig(scoring="cosine", temperature=0.2, learn_temperature=learned)).double()
    sessions, items = torch.randn(5, 4, dtype=torch.float64), torch.randn(9, 4, dtype=torch.float64)
    scores = scoring.of_sessions(sessions) @ scoring.of_items(items).T
    expected = functional.cosine_similarity(sessions[:, None], items[None], dim=2) / 0.2
    torch.testing.assert_close(scores, expected, rtol=1e-6, atol=1e-6)  # log(0.2) is stored in float32
    assert [name for name, _ in scoring.named_parameters()] == ["log_temperature"] * learned
    assert list(scoring.state_dict()) == ["log_temperature"]


def test_the_gradient_of_a_learned_temperature_is_the_derivative():
    torch.manual_seed(0)
    scoring = Cosine(0.3, learned=True).double()
    sessions = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda rows, _: scoring.of_sessions(rows), (sessions, scoring.log_temperature))


def test_a_learned_temperature_ends_where_scores_reach_100():
    scoring = Cosine(0.02, learned=True)
    with torch.no_grad():
        scoring.log_temperature.fill_(math.log(0.001))
    scoring.of_sessions(torch.ones(1, 2))
    assert scoring.log_temperature.exp().item() == pytest.approx(LOWEST_TEMPERATURE)
