"""Notes on ids that may not be meant as ids: what programs write for a missing value, and spaces around them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

MISSING = ("nan", "null", "none", "n/a", "na", "nat", "<na>", "<null>", "(null)", "undefined", r"\n")
"""How pandas, databases and JavaScript spell that there is no value, in lower case."""


def notes_on_ids(role: str, ids: pa.Array, codes: NDArray[np.int32], source: str) -> tuple[str, ...]:
    """Notes on ids that a person should look at; they are ids all the same.

    Args:
        role: "session" or "item".
        ids: the distinct ids.
        codes: the id of each event.
        source: name of the file.
    """
    if not pa.types.is_string(ids.type):
        return ()
    return (*_missing(role, ids, codes, source), *_spaced(role, ids, source))


def _missing(role: str, ids: pa.Array, codes: NDArray[np.int32], source: str) -> tuple[str, ...]:
    found = np.flatnonzero(pc.is_in(pc.utf8_lower(ids), value_set=pa.array(MISSING)))
    return tuple(
        f"{source}: {role} '{ids[code]}' of {np.count_nonzero(codes == code):,} events is taken for an id;"
        " leave these rows out if it means that there is none"
        for code in found
    )


def _spaced(role: str, ids: pa.Array, source: str) -> tuple[str, ...]:
    """A note on ids that are the same but for spaces around them."""
    trimmed = pc.utf8_trim_whitespace(ids)
    if trimmed.equals(ids):
        return ()
    first = pc.index_in(trimmed, value_set=trimmed).to_numpy()
    again = np.flatnonzero(first != np.arange(len(ids)))
    return tuple(
        f"{source}: {role}s '{ids[first[code]]}' and '{ids[code]}' differ in spaces alone, and are taken for two"
        for code in again[:1]
    )
