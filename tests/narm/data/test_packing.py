"""The packed layout is torch's PackedSequence, and each query is answered by the item that follows it."""

from __future__ import annotations

import numpy as np
import torch
from support.ring import random_sessions
from torch.nn.utils.rnn import pack_sequence

from narm.data.batches import ordered_batches, training_batches
from narm.data.packing import pack
from narm.data.sessions import Examples
from narm.data.windows import cut_prefixes, cut_windows


def test_rows_stand_as_in_a_packed_sequence_of_torch():
    sessions = random_sessions(30, 50, 12)
    windows = cut_windows(Examples.every_prefix(sessions), 12, 6)
    batch = pack(windows, np.arange(len(windows)))
    inputs = sorted((torch.from_numpy(sessions[s][:-1].astype(np.int64)) for s in range(30)), key=len, reverse=True)
    packed = pack_sequence(inputs)
    assert torch.equal(batch.items, packed.data)
    assert batch.layout.step_sizes.tolist() == packed.batch_sizes.tolist()


def test_each_query_stands_at_the_event_before_its_target():
    sessions = random_sessions(30, 50, 25)
    windows = cut_windows(Examples.every_prefix(sessions), 7, 3)
    batch = pack(windows, np.random.default_rng(0).permutation(len(windows)))
    follower = batch.items.numpy()[batch.layout.query_rows] % 49 + 1  # on the ring the next item is the one after
    assert (follower == batch.targets.numpy()).all()
    assert (batch.targets.numpy() == sessions.items[windows.targets[batch.examples]]).all()


def test_a_training_epoch_visits_every_example_once():
    windows = cut_windows(Examples.every_prefix(random_sessions(100, 50, 25)), 7, 3)
    batches = list(training_batches(windows, 64, np.random.default_rng(1)))
    assert sorted(np.concatenate([batch.examples for batch in batches])) == list(range(len(windows.targets)))
    assert len(batches) == -(-len(windows.targets) // 64)


def test_parts_of_an_epoch_visit_every_example_once_together():
    windows = cut_windows(Examples.every_prefix(random_sessions(100, 50, 25)), 7, 3)
    parts = [
        np.concatenate([b.examples for b in training_batches(windows, 64, np.random.default_rng(1), part=n, parts=3)])
        for n in range(3)
    ]
    assert sorted(np.concatenate(parts)) == list(range(len(windows.targets)))
    assert min(map(len, parts)) > 0.25 * len(windows.targets)


def test_training_order_follows_from_the_generator_alone():
    windows = cut_windows(Examples.every_prefix(random_sessions(100, 50, 25)), 7, 3)
    first, again, other = (
        np.concatenate([b.examples for b in training_batches(windows, 64, np.random.default_rng(seed))])
        for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_ordered_batches_hold_neighbours_in_length():
    windows = cut_prefixes(Examples.every_prefix(random_sessions(40, 50, 25)), 9)
    steps = [len(batch.layout.step_sizes) for batch in ordered_batches(windows, 50)]
    assert steps == sorted(steps)
