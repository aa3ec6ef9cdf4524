"""Sessions as flat arrays, and the examples drawn from them.

A session's events are contiguous, in time order, in one flat array; nothing is padded and nothing copied.
Item 0 is padding, items are 1..n_items-1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

HeldOut = Literal["sessions", "events"]
"""What validation and test hold out: whole sessions, or the last events of sessions that train has (leave-one-out)."""

Held = Literal["valid", "all"]
"""What was held out: validation, or validation and test."""

Refit = Literal["none"] | Held
"""What a last training learns from beside train, once all is decided; none: there is no such training."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions in compressed rows: session s is `items[offsets[s]:offsets[s + 1]]`.

    Attributes:
        items: item indices, int32 [events].
        offsets: int64 [sessions + 1].
    """

    items: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, session: int) -> NDArray[np.int32]:
        return self.items[self.offsets[session] : self.offsets[session + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Events of each session, [sessions]."""
        return np.diff(self.offsets)

    @property
    def n_events(self) -> int:
        """Events in all sessions."""
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Examples:
    """Events to predict, each from the events of its session before it.

    Attributes:
        sessions: sessions with the events; it may hold events that are no one's target.
        targets: positions in `sessions.items` of the events to predict, int64 [targets], increasing;
            never the first event of a session.
    """

    sessions: Sessions
    targets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.targets)

    @classmethod
    def every_prefix(cls, sessions: Sessions) -> Examples:
        """Every event but the first of each session is a target."""
        is_target = np.ones(sessions.n_events, dtype=bool)
        is_target[sessions.offsets[:-1][sessions.lengths > 0]] = False
        return cls(sessions, np.flatnonzero(is_target))

    @property
    def target_items(self) -> NDArray[np.int32]:
        """The items to predict, [targets]."""
        return self.sessions.items[self.targets]

    @property
    def session_of_target(self) -> NDArray[np.int64]:
        """Index of each target's session, [targets]."""
        return np.searchsorted(self.sessions.offsets, self.targets, side="right") - 1

    def prefix_starts(self, max_length: int) -> NDArray[np.int64]:
        """Position of the first event of each prefix: the last `max_length` events before the target, [targets]."""
        return np.maximum(self.sessions.offsets[self.session_of_target], self.targets - max_length)

    def prefix(self, example: int, max_length: int) -> NDArray[np.int32]:
        """The events the model sees before one target, [1..max_length]."""
        end = self.targets[example]
        start = self.sessions.offsets[np.searchsorted(self.sessions.offsets, end, side="right") - 1]
        return self.sessions.items[max(start, end - max_length) : end]


@dataclass(frozen=True)
class ItemVocabulary:
    """Raw item ids and their indices; index 0 is padding.

    Attributes:
        ids: raw ids in order of their index, [n_items - 1]; index i means `ids[i - 1]`.
    """

    ids: NDArray[np.str_] | NDArray[np.int64]

    @property
    def n_items(self) -> int:
        """Items and the padding."""
        return len(self.ids) + 1

    @cached_property
    def _index(self) -> dict[str, int]:
        return {str(raw): index for index, raw in enumerate(self.ids, start=1)}

    def index(self, raw_id: object) -> int | None:
        """Index of a raw id, or None if the vocabulary does not have it; 26.0 is 26 where ids are integers."""
        spelled = str(raw_id)
        found = self._index.get(spelled)
        if found is None and self.ids.dtype.kind == "i":
            whole, point, zeros = spelled.partition(".")
            found = self._index.get(whole) if point and zeros and not zeros.strip("0") else None
        return found

    def raw(self, index: int) -> str:
        """Raw id of an index in 1..n_items-1."""
        if not 1 <= index < self.n_items:
            raise IndexError(f"item index {index} is not in 1..{self.n_items - 1}")
        return str(self.ids[index - 1])


@dataclass(frozen=True)
class Splits:
    """A dataset ready for training: what to learn from, what to choose by, and what to judge by.

    Attributes:
        name: the dataset's name, as a person knows it.
        train: examples to learn from.
        valid: examples that choose the epoch and the trial.
        test: examples that judge the finalists, once.
        vocabulary: the items; of train and validation when sessions are split by time or by file.
        max_length: events of a prefix that the model sees, the last ones (DataConfig.max_item_list_length).
        fingerprint: SHA-256 over items, offsets and targets of all splits and the vocabulary; it names the data.
        notes: what a reader of the results should know, e.g. events dropped, or that the split leaks the future.
        held_out: what validation and test hold out.
        refit: what `train` has taken in of what was held out; see `narm.data.refit`.
    """

    name: str
    train: Examples
    valid: Examples
    test: Examples
    vocabulary: ItemVocabulary
    max_length: int
    fingerprint: str
    notes: tuple[str, ...] = ()
    held_out: HeldOut = "sessions"
    refit: Refit = "none"

    @property
    def n_items(self) -> int:
        """Items and the padding."""
        return self.vocabulary.n_items
