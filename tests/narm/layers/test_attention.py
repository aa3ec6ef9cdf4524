"""The fused attention against the reference in torch, and the reference against the formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from narm.data.packing import PackedLayout
from narm.kernels.compile import compiled
from narm.layers.attention import additive_attention, reference_attention

NAMES = ("queries", "keys", "values", "v")


def layout_of(lengths, query_steps=None) -> PackedLayout:
    """Sessions of the given lengths, decreasing; queries at all steps unless given for each session."""
    lengths = np.asarray(lengths)
    step_sizes = (lengths > np.arange(lengths[0])[:, None]).sum(1)
    step_offsets = np.concatenate([[0], np.cumsum(step_sizes)])
    query_steps = [np.arange(n) for n in lengths] if query_steps is None else query_steps
    sessions = np.repeat(np.arange(len(lengths)), [len(steps) for steps in query_steps])
    query_offsets = np.concatenate([[0], np.cumsum([len(steps) for steps in query_steps])])
    steps = np.concatenate(query_steps).astype(np.int64)
    return PackedLayout(step_offsets, query_offsets, steps, step_offsets[steps] + sessions)


def random_inputs(layout, size, dtype=torch.float32, scale=1.0):
    generator = torch.Generator().manual_seed(size)
    shapes = (len(layout.query_steps), size), (layout.n_rows, size), (layout.n_rows, size), (size,)
    inputs = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
    inputs[:2] = [tensor * scale for tensor in inputs[:2]]
    return [tensor.to(dtype).requires_grad_() for tensor in inputs]


def output_and_gradients(function, inputs):
    output = function(*inputs)
    direction = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).reshape(output.shape)
    return output, *torch.autograd.grad(output, inputs, direction)


LAYOUTS = {
    "mixed": layout_of([9, 9, 5, 4, 4, 1, 1]),
    "one session": layout_of([13]),
    "one event": layout_of([1]),
    "length one": layout_of([1] * 6),
    "some queries": layout_of([9, 6, 6, 2], [[0, 3, 7], [], [5], [0]]),
    "the last step only": layout_of([9, 6, 2], [[8], [5], [1]]),
}


@pytest.fixture(autouse=True)
def _needs_the_kernel():
    assert compiled("attention", torch.float32) is not None


def test_the_reference_is_the_formula():
    layout = LAYOUTS["some queries"]
    queries, keys, values, v = (x.detach() for x in random_inputs(layout, 3, torch.float64))
    for normalize in (False, True):
        for window in (1, 3, 99):
            actual = reference_attention(queries, keys, values, v, layout, normalize=normalize, window=window)
            for q, (step, row) in enumerate(zip(layout.query_steps, layout.query_rows, strict=True)):
                session = row - layout.step_offsets[step]
                rows = [layout.step_offsets[j] + session for j in range(max(0, step - window + 1), step + 1)]
                alpha = torch.stack([v @ torch.sigmoid(queries[q] + keys[j]) for j in rows])
                alpha = alpha.softmax(0) if normalize else alpha
                torch.testing.assert_close(actual[q], alpha @ values[rows])


@pytest.mark.parametrize("window", [None, 1, 3])
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("layout", [LAYOUTS["mixed"], LAYOUTS["some queries"]], ids=["mixed", "some"])
def test_gradients_are_those_of_finite_differences(layout, normalize, window):
    def attend(*inputs):
        return additive_attention(*inputs, layout, normalize=normalize, window=window)

    assert torch.autograd.gradcheck(attend, random_inputs(layout, 2, torch.float64), fast_mode=True)


@pytest.mark.parametrize("size", [1, 7, 100, 128])
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("window", [None, 4])
def test_float32_agrees_with_the_reference_in_float64(layout, normalize, size, window):
    inputs = random_inputs(layout, size)
    exact = [x.detach().double().requires_grad_() for x in inputs]
    reach = window or len(layout.step_offsets)
    actual = output_and_gradients(lambda *x: additive_attention(*x, layout, normalize=normalize, window=window), inputs)
    expected = output_and_gradients(
        lambda *x: reference_attention(*x, layout, normalize=normalize, window=reach), exact
    )
    for name, ours, theirs in zip(("contexts", *NAMES), actual, expected, strict=True):
        scale = theirs.abs().max().item() + 0.1  # terms that cancel leave rounding of their own size
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-5, atol=1e-5 * scale, msg=name)


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e-3, 15.0, 25.0, 1e4, 1e30])
@pytest.mark.parametrize("normalize", [False, True])
def test_activations_of_any_size(normalize, scale):
    layout = LAYOUTS["mixed"]
    inputs = random_inputs(layout, 9, scale=scale)
    exact = [x.detach().double().requires_grad_() for x in inputs]
    actual = output_and_gradients(lambda *x: additive_attention(*x, layout, normalize=normalize), inputs)
    expected = output_and_gradients(lambda *x: reference_attention(*x, layout, normalize=normalize, window=99), exact)
    for ours, theirs in zip(actual, expected, strict=True):
        assert torch.isfinite(ours).all()
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-4, atol=1e-5 * (theirs.abs().max().item() + 0.1))


def test_one_large_query_among_moderate_keys():
    """A sum such as 80 - 50 must not be clamped factor by factor."""
    layout = layout_of([4])
    queries, keys, values, v = random_inputs(layout, 8)
    with torch.no_grad():
        queries[2], keys[1] = 80.0, -50.0
    actual = additive_attention(queries, keys, values, v, layout, normalize=False)
    expected = reference_attention(queries, keys, values, v, layout, normalize=False, window=4)
    torch.testing.assert_close(actual, expected)


def test_not_a_number_reaches_the_output():
    layout = layout_of([5, 3])
    for position, name in enumerate(NAMES):
        inputs = [x.detach() for x in random_inputs(layout, 8)]
        inputs[position].view(-1)[0] = torch.nan
        assert additive_attention(*inputs, layout, normalize=False).isnan().any(), name


@pytest.mark.parametrize("normalize", [False, True])
def test_bits_depend_neither_on_the_threads_nor_on_the_run(normalize):
    layout = layout_of([30, 21, 20, 9, 9, 4, 1])
    inputs = random_inputs(layout, 33)
    runs = []
    for threads in (1, 2, 3, 2):
        torch.set_num_threads(threads)
        runs.append(output_and_gradients(lambda *x: additive_attention(*x, layout, normalize=normalize), inputs))
    torch.set_num_threads(1)
    for other in runs[1:]:
        assert all(torch.equal(a, b) for a, b in zip(runs[0], other, strict=True))


def test_later_events_and_other_sessions_are_out_of_sight():
    layout = layout_of([6, 6])
    queries, keys, values, v = (x.detach() for x in random_inputs(layout, 8))
    before = additive_attention(queries, keys, values, v, layout, normalize=False)
    keys[6:] += 1  # all events from step 3 on
    values[7::2] += 1
    keys[1::2] += 1  # the second session
    after = additive_attention(queries, keys, values, v, layout, normalize=False)
    torch.testing.assert_close(before[:3], after[:3], rtol=1e-6, atol=1e-6)
    assert ((before[3:] - after[3:]).abs() > 1e-3).any(1).all()


def test_strided_inputs_and_read_only_layouts():
    layout = layout_of([4, 2])
    for array in (layout.step_offsets, layout.query_offsets, layout.query_steps):
        array.setflags(write=False)
    inputs = [x.detach() for x in random_inputs(layout, 8)]
    strided = [torch.stack([x, x], -1)[..., 0] for x in inputs]
    expected = additive_attention(*inputs, layout, normalize=False)
    assert torch.equal(additive_attention(*strided, layout, normalize=False), expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keys": torch.zeros(5, 8)}, r"keys has shape \(5, 8\); the layout needs \(6, 8\)"),
        ({"v": torch.zeros(8, 1)}, "queries has shape"),
        ({"values": torch.zeros(6, 8, dtype=torch.float64)}, "values is torch.float64"),
        ({"window": 0}, "window is 0; it must be at least 1"),
    ],
)
def test_what_does_not_fit_is_an_error(change, message):
    layout = layout_of([4, 2])
    arguments = dict(zip(NAMES, random_inputs(layout, 8), strict=True), window=None) | change
    with pytest.raises(ValueError, match=message):
        additive_attention(**arguments, layout=layout, normalize=False)


def test_other_types_take_the_reference():
    layout = layout_of([4, 2])
    inputs = [x.detach().bfloat16() for x in random_inputs(layout, 8)]
    assert additive_attention(*inputs, layout, normalize=True).dtype == torch.bfloat16
