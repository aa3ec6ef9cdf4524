"""RecBole's `eval_args`: the settings that it shares with this suite, and what comes nearest to the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from narm.errors import InputError
from narm.text.suggestion import did_you_mean

_INSTEAD = "whole sessions are split, by time; in place of eval_args write"


@dataclass(frozen=True, slots=True)
class _Setting:
    """A key of `eval_args`.

    Attributes:
        accepted: the values that mean the same here, the usual spelling first.
        reason: why no other.
        nearest: what comes nearest to another value, for some of them.
    """

    accepted: Sequence[Any]
    reason: str
    nearest: Callable[[Any], str | None] = lambda given: None


def options_of_eval_args(value: Any) -> Mapping[str, Any]:
    """The options that `eval_args` set.

    Raises:
        InputError: it asks for what is not done here; the message names what comes nearest.
    """
    if not isinstance(value, dict):
        raise InputError(f"eval_args: {value!r} should be a mapping of {', '.join(SETTINGS)}")
    for key in value:
        if key not in SETTINGS:
            raise InputError(f"eval_args: unknown key '{key}'{did_you_mean(key, SETTINGS)}")
    for key, setting in SETTINGS.items():
        if key in value and value[key] not in setting.accepted:
            given, reason = value[key], setting.nearest(value[key]) or setting.reason
            raise InputError(f"eval_args.{key}: {given!r} is not possible, only {setting.accepted[0]!r}: {reason}")
    return {"split": "leave_one_out"} if "split" in value else {}


def _nearest_split(given: Any) -> str | None:
    """For shares of events (RS), or of events before and after a point in time (TS): the same shares of sessions."""
    match given:
        case {"RS": [*shares]} | {"TS": [*shares]} if len(given) == 1 and _are_shares(shares):
            train, valid, test = shares
            options = (
                f"split: temporal, test_share: {test / sum(shares):.4g}, valid_share: {valid / (train + valid):.4g}"
            )
            return f"{_INSTEAD} {options}"
        case {"RS": _} | {"TS": _}:
            return f"{_INSTEAD} split: temporal, test_share, valid_share"
        case {"LS": "valid_only" | "test_only"}:
            return "one event is held out for each, validation and test"
    return None


def _are_shares(shares: Sequence[Any]) -> bool:
    """Whether they are three, and each split gets some."""
    are_numbers = all(isinstance(share, int | float) and not isinstance(share, bool) for share in shares)
    return len(shares) == 3 and are_numbers and shares[0] > 0 and shares[1] >= 0 and shares[2] > 0


def _nearest_mode(given: Any) -> str | None:
    modes = given.values() if isinstance(given, dict) else [given]
    for mode in modes:
        if sampled := re.fullmatch(r"(?:uni|pop)([0-9]+)", str(mode)):
            return (
                "metrics over sampled items mislead, so every item is ranked; "
                f"`sampled_negatives: {sampled[1]}` adds those of test, under names that say so"
            )
        if mode in ("labeled", None):
            return "NARM learns from events, not from labels"
    return None


SETTINGS: dict[str, _Setting] = {
    "split": _Setting(
        accepted=[{"LS": "valid_and_test"}],
        reason="or leave eval_args out and write `split: temporal`",
        nearest=_nearest_split,
    ),
    "order": _Setting(accepted=["TO"], reason="the next event is to be predicted, so the order is that of time"),
    "group_by": _Setting(accepted=["user"], reason="it is the last events of each user that are held out"),
    "mode": _Setting(
        accepted=["full", {"valid": "full", "test": "full"}, {"valid": "full"}, {"test": "full"}],
        reason="metrics over sampled items mislead, so every item is ranked",
        nearest=_nearest_mode,
    ),
}
"""By key, what is split first: a split that is not possible makes the other keys pointless."""
