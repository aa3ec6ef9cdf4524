"""Sizes of data, for tests of what depends on them."""

from __future__ import annotations

from search_spaces.data_size import DataSize

SMALL = DataSize(targets=98_000, items=1_700)
LARGE = DataSize(targets=720_000, items=43_000)

BY_DATA = """\
learning_rate: {low: 0.001, high: 0.01, log: true}
hidden_size: {low: 32, high: items / 8 at most 512}
loss_type: [CE, {value: sampled_softmax, where: items > 10000}]
softmax_samples: {low: 512, high: 4096, when: {loss_type: sampled_softmax}}
"""
"""A space that depends on the data."""
