"""Dropout drops the right share, evenly, and the same way in the backward."""

from __future__ import annotations

import pytest
import torch

from narm.layers.dropout import Dropout


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_share_p_is_dropped_and_the_mean_is_kept(p, dtype):
    torch.manual_seed(0)
    kept = Dropout(p)(torch.ones(400, 500, dtype=dtype))
    assert set(kept.unique().tolist()) == {0.0, torch.tensor(1 / (1 - p), dtype=dtype).item()}
    assert kept.eq(0).double().mean().item() == pytest.approx(p, abs=0.005)
    for along in (0, 1):  # neither rows nor columns are favoured: 5 standard errors
        shares = kept.eq(0).double().mean(dim=along)
        n = kept.shape[along]
        assert (shares - p).abs().max() < 5 * (p * (1 - p) / n) ** 0.5


def test_neighbouring_calls_and_positions_are_independent():
    torch.manual_seed(0)
    first, second = (Dropout(0.5)(torch.ones(200_000)).ne(0).double() for _ in range(2))
    for one, other in ((first, second), (first[1:], first[:-1]), (first[64:], first[:-64])):
        assert abs(torch.corrcoef(torch.stack([one, other]))[0, 1]) < 0.012


def test_the_backward_drops_what_the_forward_dropped():
    values = torch.rand(37, 11, requires_grad=True)
    kept = Dropout(0.4)(values)
    kept.sum().backward()
    torch.testing.assert_close(values.grad, kept.detach() / values.detach())


def test_the_mask_follows_from_the_generator_and_not_from_the_threads():
    masks = []
    for threads, seed in ((1, 7), (2, 7), (1, 8)):
        torch.set_num_threads(threads)
        torch.manual_seed(seed)
        masks.append(Dropout(0.5)(torch.ones(1001)))
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])


def test_nothing_is_dropped_in_evaluation_or_at_p_0():
    values = torch.rand(5, 5)
    assert Dropout(0.5).eval()(values) is values
    assert Dropout(0.0)(values) is values


def test_without_the_kernel_torch_drops(monkeypatch):
    monkeypatch.setattr("narm.layers.dropout.compiled", lambda *_: None)
    assert Dropout(0.5)(torch.ones(10_000)).eq(0).double().mean().item() == pytest.approx(0.5, abs=0.03)
