"""Data for a last training: once all is decided, what chose the model, and even what judged it, is learned from too.

The items stay those of the vocabulary. One that only validation has is in it, and gets its training now; test events of
items that it lacks were dropped when the data were split.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from narm.data.session_log import mask_events
from narm.data.sessions import Examples, Held, Sessions, Splits


def take_in(splits: Splits, held_out: Held) -> Splits:
    """Splits whose train has all targets of validation too, or those of validation and test; these are then empty.

    Train is what it would be if nothing had been held out. Whole sessions follow those of train, and so remain in the
    order of time, which tells some models what is recent. Of leave-one-out, each session goes on to its validation
    target, or to its end.

    Args:
        splits: as they were for the choice.
        held_out: `valid`, or `all` for validation and test.
    Returns:
        splits with a fingerprint of their own: no run on the others can go on with them by mistake.
    """
    everything = held_out == "all"
    joined = _of_whole_sessions if splits.held_out == "sessions" else _of_events
    return replace(
        splits,
        train=Examples.every_prefix(joined(splits, everything)),
        valid=_without_targets(splits.valid),
        test=_without_targets(splits.test) if everything else splits.test,
        fingerprint=fingerprint_with(splits.fingerprint, held_out),
        refit=held_out,
    )


def fingerprint_with(fingerprint: str, held_out: Held) -> str:
    """Fingerprint of splits that have taken in what they held out.

    Args:
        fingerprint: theirs before that.
        held_out: what was taken in.
    """
    return hashlib.sha256(f"{fingerprint} {held_out}".encode()).hexdigest()


def _of_whole_sessions(splits: Splits, everything: bool) -> Sessions:
    parts = [splits.train.sessions, splits.valid.sessions, *([splits.test.sessions] if everything else [])]
    lengths = np.concatenate([part.lengths for part in parts])
    return Sessions(np.concatenate([part.items for part in parts]), np.concatenate([[0], np.cumsum(lengths)]))


def _of_events(splits: Splits, everything: bool) -> Sessions:
    whole = splits.test.sessions  # with the last event of each, which is its test target
    if everything:
        return whole
    is_learned = np.ones(whole.n_events, dtype=bool)
    is_learned[splits.test.targets] = False
    return mask_events(whole, is_learned)


def _without_targets(examples: Examples) -> Examples:
    return Examples(examples.sessions, examples.targets[:0])
