"""The identity and size of a study's data, without the data themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from narm.config import Config
    from narm.data.sessions import HeldOut, Splits


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Identity and size of the data.

    Attributes:
        name: name that people know them by.
        fingerprint: SHA-256 of the content.
        source: where they came from: a name, a file or a folder.
        n_items: items, the padding included.
        n_sessions: training sessions.
        n_train: targets to train on.
        n_valid: targets of the validation split.
        n_test: targets of the test split.
        n_chosen_valid: targets of the validation split that `eval_targets` keeps.
        notes: how they were read and split, and what was dropped.
        held_out: what validation and test hold out.
    """

    name: str
    fingerprint: str
    source: str
    n_items: int
    n_sessions: int
    n_train: int
    n_valid: int
    n_test: int
    n_chosen_valid: int
    notes: tuple[str, ...] = ()
    held_out: HeldOut = "sessions"

    @classmethod
    def of(cls, splits: Splits, config: Config) -> Dataset:
        """Describe the data that a config names."""
        from narm.evaluation.full_ranking import chosen_targets  # it imports torch, which a reader does not need

        return cls(
            name=splits.name,
            fingerprint=splits.fingerprint,
            source=config.data.dataset,
            n_items=splits.n_items,
            n_sessions=len(splits.train.sessions),
            n_train=len(splits.train),
            n_valid=len(splits.valid),
            n_test=len(splits.test),
            n_chosen_valid=len(chosen_targets(splits.valid, config.evaluation)),
            notes=splits.notes,
            held_out=splits.held_out,
        )
