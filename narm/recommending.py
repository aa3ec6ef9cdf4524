"""What to recommend next in sessions that nobody has seen before, in raw item ids.

B batch, T events, V items and the padding, K recommended items.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from narm.baselines.baseline import Baseline
from narm.checkpoint import load_model, load_vocabulary, read_checkpoint
from narm.config import Config
from narm.data.sessions import ItemVocabulary
from narm.evaluation.ranking import best_items
from narm.evaluation.scorer import Scorer
from narm.machine.device import resolve_device

ItemId = int | str

_SCORES = 2**24  # numbers at once, 64 MB: more sessions a batch save nothing
_MAX_BATCH = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """Items for one session, best first.

    Attributes:
        items: raw ids as the vocabulary has them; fewer than asked for when the catalogue has no more, or the model
            knows nothing of the others.
        scores: scores of the items, unnormalised: only their order and differences mean something.
        unknown: ids of the session that the model does not know, as they were given; it ignored them.
        reason: why there are no items, if there are none.
    """

    items: tuple[ItemId, ...]
    scores: tuple[float, ...]
    unknown: tuple[object, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Session:
    known: list[int]
    unknown: tuple[object, ...]


@dataclass(frozen=True)
class Recommender:
    """A model, and what it takes to use it on raw item ids.

    Attributes:
        model: in evaluation mode; any batch, and any composition of it, gives the same scores to float rounding.
        vocabulary: the items it knows.
        max_length: events of a session that it sees, the last known ones.
        device: where the model is.
    """

    model: Scorer
    vocabulary: ItemVocabulary
    max_length: int
    device: str = "cpu"

    @classmethod
    def load(cls, path: Path | str, *, device: str = "cpu") -> Recommender:
        """The recommender that a checkpoint holds, with the weights of its best epoch.

        Args:
            path: path of a checkpoint that `experiments.train` or a search wrote.
            device: auto, cpu or cuda.
        Raises:
            InputError: the file is missing, torn or no checkpoint of ours; or there is no such device.
        """
        path, place = Path(path), resolve_device(device)
        config = Config.from_flat(read_checkpoint(path)["config"])
        model = load_model(path, device=device)
        if isinstance(model, Baseline):
            place = torch.device("cpu")
        else:
            model.freeze_items()
        return cls(model, load_vocabulary(path), config.data.max_item_list_length, str(place))

    @torch.no_grad()
    def recommend(
        self, sessions: Sequence[Sequence[object]], k: int = 20, *, exclude_seen: bool = False
    ) -> list[Recommendation]:
        """The K best items for each session, in order; of equal scores the one of the lower item index comes first.

        Unknown ids are ignored, as if the events had not happened, and reported. A session without any known item
        gets no items, and the reason: a list of what is popular would look like an answer of the model. So would items
        of score 0 of a model that counts what occurred with or after others (`Baseline.silence`): it leaves them out.

        Args:
            sessions: raw item ids of each, oldest first; any number of sessions, of any length.
            k: how many items, 1 or more.
            exclude_seen: leave out the items of the session, all of them and not only the last `max_length`.
        Raises:
            ValueError: `k` is less than 1.
            FloatingPointError: the scores are NaN or infinite: the model has diverged.
        """
        if k < 1:
            raise ValueError(f"k is {k}; it must be 1 or more")
        read = [self._read(session) for session in sessions]
        found = [_nothing(session) for session in read]
        for batch in self._batches(read):
            chosen = [read[position] for position in batch]
            for position, items in zip(batch, self._best(chosen, k, exclude_seen), strict=True):
                found[position] = items
        return found

    def _read(self, session: Sequence[object]) -> _Session:
        indices = [self.vocabulary.index(raw) for raw in session]
        return _Session(
            known=[index for index in indices if index is not None],
            unknown=tuple(raw for raw, index in zip(session, indices, strict=True) if index is None),
        )

    def _batches(self, sessions: Sequence[_Session]) -> Iterator[list[int]]:
        """Positions of the sessions that can be answered, neighbours in length together."""
        order = sorted(
            (position for position, session in enumerate(sessions) if session.known),
            key=lambda position: min(len(sessions[position].known), self.max_length),
        )
        size = min(max(_SCORES // self.vocabulary.n_items, 1), _MAX_BATCH)
        for start in range(0, len(order), size):
            yield order[start : start + size]

    def _best(self, sessions: Sequence[_Session], k: int, exclude_seen: bool) -> list[Recommendation]:
        prefixes, lengths = _pad([session.known[-self.max_length :] for session in sessions])
        scores = self.model.scores(prefixes.to(self.device), lengths.to(self.device)).cpu()
        scores[:, 0] = -torch.inf
        if self._silence is not None:
            scores[scores <= 0] = -torch.inf
        is_silent = (scores == -torch.inf).all(dim=1).tolist()  # before seen items are left out: another reason
        if exclude_seen:
            for row, session in zip(scores, sessions, strict=True):
                row[session.known] = -torch.inf
        values, items = best_items(scores, min(k, self.vocabulary.n_items - 1))
        return [
            self._recommendation(session, row_values, row_items, self._why_none(silent))
            for session, row_values, row_items, silent in zip(sessions, values, items, is_silent, strict=True)
        ]

    @property
    def _silence(self) -> str | None:
        return self.model.silence if isinstance(self.model, Baseline) else None

    def _why_none(self, is_silent: bool) -> str:
        """Why a session that has known items gets none, if it does."""
        if self._silence is None:
            return "every item of the catalogue is in the session"
        return self._silence if is_silent else "every item that train has for it is in the session"

    def _recommendation(self, session: _Session, scores: Tensor, items: Tensor, why_none: str) -> Recommendation:
        allowed = scores > -torch.inf
        return Recommendation(
            items=tuple(self.vocabulary.ids[items[allowed].numpy() - 1].tolist()),
            scores=tuple(scores[allowed].tolist()),
            unknown=session.unknown,
            reason=None if allowed.any() else why_none,
        )


def _nothing(session: _Session) -> Recommendation:
    """For a session without a known item."""
    reason = "no item of the session is known" if session.unknown else "the session is empty"
    return Recommendation(items=(), scores=(), unknown=session.unknown, reason=reason)


def _pad(sessions: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Item indices, right-padded with 0, [B, T], and the length of each session, [B]."""
    lengths = np.array([len(session) for session in sessions])
    padded = np.zeros((len(sessions), lengths.max()), dtype=np.int64)
    padded[np.arange(padded.shape[1]) < lengths[:, None]] = np.concatenate(sessions)
    return torch.from_numpy(padded), torch.from_numpy(lengths)
