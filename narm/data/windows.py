"""Cut sessions into the windows that are encoded, so that each event is encoded as rarely as it can be.

The GRU is causal: one pass over a session gives the state of every prefix. A session of up to `length` inputs is
one window, and each of its targets sees all that came before. In a longer session the model may look back `length`
events, so the targets beyond get windows of their own, one every `stride` events:

    a target with h <= length events before it sees them all;
    any other sees between length - stride + 1 and length of the last ones.

Stride 1 is the exact rule of evaluation (RecBole's): each target sees its last `length` events.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from narm.data.sessions import Examples, Sessions


@dataclass(frozen=True, slots=True)
class Windows:
    """Stretches of sessions, each with the targets that are predicted from within it.

    Attributes:
        sessions: sessions with the events.
        starts: position in `sessions.items` of each window's first event, int64 [windows].
        targets: positions of the targets, int64 [targets], as in the examples.
        target_offsets: first target of each window, int64 [windows + 1].
    """

    sessions: Sessions
    starts: NDArray[np.int64]
    targets: NDArray[np.int64]
    target_offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)

    def lengths(self, chosen: NDArray[np.int64] | slice = slice(None)) -> NDArray[np.int64]:
        """Events to encode of each chosen window: up to the one before its last target, [chosen]."""
        return self.targets[self.target_offsets[1:][chosen] - 1] - self.starts[chosen]

    def target_counts(self, chosen: NDArray[np.int64] | slice = slice(None)) -> NDArray[np.int64]:
        """Targets of each chosen window, [chosen]."""
        return self.target_offsets[1:][chosen] - self.target_offsets[:-1][chosen]


def cut_windows(examples: Examples, length: int, stride: int) -> Windows:
    """Give each target its window; neighbours that start at the same event share one.

    Args:
        examples: the targets.
        length: events of a window at most.
        stride: events between the windows of a long session, 1..length.
    """
    if not 1 <= stride <= length:
        raise ValueError(f"stride {stride} is not in 1..{length}")
    session = examples.session_of_target
    first_event = examples.sessions.offsets[session]
    last_target = np.full(len(examples.sessions), -1)
    last_target[session] = examples.targets  # increasing, so the last one stays

    beyond = np.maximum(examples.targets - first_event - length, 0)
    skipped = -(-beyond // stride) * stride
    # the last window of a session ends at its last target, and is as long as it may be
    skipped = np.minimum(skipped, np.maximum(last_target[session] - first_event - length, 0))
    starts = first_event + skipped
    opens = np.flatnonzero(np.diff(starts, prepend=-1))
    return Windows(examples.sessions, starts[opens], examples.targets, np.append(opens, len(starts)))


def cut_prefixes(examples: Examples, length: int) -> Windows:
    """A window of its own for each target: its last `length` events, as RecBole expands them."""
    every = np.arange(len(examples) + 1)
    return Windows(examples.sessions, examples.prefix_starts(length), examples.targets, every)
