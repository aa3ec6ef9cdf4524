"""The packed layout: a batch of windows of unequal length without a single padded cell.

The windows of a batch are sorted by decreasing length and stored step by step, as torch's ``PackedSequence`` does:

    rows of step 0: the first event of every window         step_sizes[0] = S rows
    rows of step 1: the second event of those that have one step_sizes[1] <= S rows
    ...
so the event at step t of window s is row ``step_offsets[t] + s``.

The queries are the rows from which a next event is predicted; they are ordered by window, then by step.
S windows (a whole session each, unless it is long), T steps, N rows (events), Q queries (targets).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from narm.data.windows import Windows


@dataclass(frozen=True, slots=True)
class PackedLayout:
    """Positions of the events of a packed batch, and which of them are queries.

    Attributes:
        step_offsets: first row of each step, int64 [T + 1]; step_offsets[T] = N.
        query_offsets: first query of each window, int64 [S + 1]; query_offsets[S] = Q.
        query_steps: the step of each query, int64 [Q], increasing within a window.
        query_rows: the row of each query, int64 [Q] = step_offsets[query_steps] + its window.
    """

    step_offsets: NDArray[np.int64]
    query_offsets: NDArray[np.int64]
    query_steps: NDArray[np.int64]
    query_rows: NDArray[np.int64]

    @property
    def n_sessions(self) -> int:
        """The number S of windows."""
        return len(self.query_offsets) - 1

    @property
    def n_rows(self) -> int:
        """The number N of events."""
        return int(self.step_offsets[-1])

    @property
    def step_sizes(self) -> NDArray[np.int64]:
        """Windows that have an event at each step, [T], non-increasing."""
        return np.diff(self.step_offsets)


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """What the model reads and what it has to predict.

    Attributes:
        items: item of each row, int64 [N].
        layout: positions of those rows.
        targets: item that follows each query, int64 [Q].
        examples: index of each query among the examples the windows were made from, int64 [Q].
    """

    items: Tensor
    layout: PackedLayout
    targets: Tensor
    examples: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.examples)

    def to(self, device: torch.device) -> PackedBatch:
        """The same batch, its tensors on `device`."""
        return PackedBatch(self.items.to(device), self.layout, self.targets.to(device), self.examples)


def pack(windows: Windows, chosen: NDArray[np.int64]) -> PackedBatch:
    """Pack some windows.

    Args:
        windows: where to read from.
        chosen: indices of windows, [S], in any order.
    """
    lengths = windows.lengths(chosen)
    longest_first = np.argsort(-lengths, kind="stable")
    chosen, lengths = chosen[longest_first], lengths[longest_first]
    starts = windows.starts[chosen]

    step_sizes = np.cumsum(np.bincount(lengths)[::-1])[::-1][1:]  # windows longer than t, for each step t
    step_offsets = np.concatenate(([0], np.cumsum(step_sizes)))
    row_steps = np.repeat(np.arange(len(step_sizes)), step_sizes)
    row_windows = np.arange(step_offsets[-1]) - step_offsets[row_steps]
    events = windows.sessions.items

    counts = windows.target_counts(chosen)
    query_offsets = np.concatenate(([0], np.cumsum(counts)))
    query_windows = np.repeat(np.arange(len(chosen)), counts)
    examples = np.repeat(windows.target_offsets[chosen] - query_offsets[:-1], counts) + np.arange(query_offsets[-1])
    targets = windows.targets[examples]
    query_steps = targets - 1 - starts[query_windows]

    layout = PackedLayout(step_offsets, query_offsets, query_steps, step_offsets[query_steps] + query_windows)
    items = torch.from_numpy(events[starts[row_windows] + row_steps].astype(np.int64))
    return PackedBatch(items, layout, torch.from_numpy(events[targets].astype(np.int64)), examples)


def pack_padded(prefixes: Tensor, lengths: Tensor) -> tuple[Tensor, PackedLayout, Tensor]:
    """Pack padded prefixes, each with one query at its last event.

    Args:
        prefixes: item indices, [B, T], right-padded.
        lengths: events of each prefix, [B].
    Returns:
        the packed items [N], their layout, and which prefix each query is of, [B].
    """
    order = torch.argsort(lengths, descending=True, stable=True)
    lengths = lengths[order].cpu()
    packed = torch.nn.utils.rnn.pack_padded_sequence(prefixes[order], lengths, batch_first=True)
    step_offsets = np.concatenate(([0], np.cumsum(packed.batch_sizes.numpy())))
    query_steps = lengths.numpy() - 1
    query_rows = step_offsets[query_steps] + np.arange(len(lengths))
    return packed.data, PackedLayout(step_offsets, np.arange(len(lengths) + 1), query_steps, query_rows), order
