"""The nearest known name, for the message about an unknown one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

NEAR = 0.82
"""As near as names are that differ in a slip or two; at less, `eval_setting` would be taken for `eval_step`."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'hidden_size'?`, or a list of what is known when nothing is near."""
    known = list(known)
    near = nearest(name, known)
    return f"; did you mean '{near}'?" if near is not None else f"; known: {', '.join(known)}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that somebody who wrote `name` surely meant: nearly the same, or the same with words more or less.

    `item` is `item_id`, but `selected_features` is not `sampled_negatives`.
    """
    spelled = {one.replace("-", "_").lower(): one for one in known}
    written = name.replace("-", "_").lower()
    if written in spelled:
        return spelled[written]
    close = difflib.get_close_matches(written, spelled, n=1, cutoff=NEAR)
    swapped = [one for one in spelled if sorted(one) == sorted(written)]
    words = set(written.split("_"))
    with_words = [one for one in spelled if words < set(one.split("_")) or words > set(one.split("_"))]
    return next((spelled[one] for one in (*with_words, *close, *swapped)), None)
