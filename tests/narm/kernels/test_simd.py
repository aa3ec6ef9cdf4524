"""The vector operations against numpy in float64."""

from __future__ import annotations

import numpy as np
import pytest

from narm.kernels import simd
from narm.kernels.compile import inner

REFERENCES = {"exp": np.exp, "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x))}
TOLERANCES = {np.float32: 4e-7, np.float64: 2e-15}


def mapped(function):
    """The function of vectors as one of arrays."""

    @inner
    def apply(x, y):
        for i in range(0, x.size, simd.LANES):
            simd.store(y, i, function(simd.load(x, i)))

    return apply


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("name", REFERENCES)
def test_elementary_functions(name, dtype):
    small = np.geomspace(1e-30, 1, 500)
    x = np.concatenate([np.linspace(-50, 50, 3000), small, -small]).astype(dtype)
    y = np.empty_like(x)
    mapped(getattr(simd, name))(x, y)
    expected = REFERENCES[name](x.astype(np.longdouble))
    assert np.max(np.abs(y / expected - 1)) < TOLERANCES[dtype]


@pytest.mark.parametrize("name", REFERENCES)
def test_not_a_number_stays_one(name):
    x = np.full(simd.LANES, np.nan, np.float32)
    y = np.zeros_like(x)
    mapped(getattr(simd, name))(x, y)
    assert np.isnan(y).all()


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_saturation(name):
    x = np.array([-np.inf, -3e38, -1e3, -61, 61, 1e3, 3e38, np.inf], np.float32)
    y = np.zeros_like(x)
    mapped(getattr(simd, name))(x, y)
    low = -1 if name == "tanh" else 0
    np.testing.assert_allclose(y, [low] * 4 + [1] * 4, atol=1e-25)


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_total_and_within(dtype):
    @inner
    def measure(x, bound):
        vector = simd.load(x, 1)
        return simd.total(vector), simd.within(vector, simd.like(vector, bound))

    x = np.arange(-3, 7).astype(dtype)  # lanes: -2 .. 5
    assert measure(x, 5.0) == (12, True)
    assert measure(x, 4.5) == (12, False)
    x[4] = np.nan
    assert measure(x, 5.0)[1] is False
