"""Ids as integers where that is what they are, however they are spelled: 26 and 26.0 are one id."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

LARGEST_EXACT = {16: 2**11, 32: 2**24, 64: 2**53}
"""Floats of so many bits tell all whole numbers up to this one apart, and not those beyond."""

_PLAIN = r"^(0|-?[1-9][0-9]*)$"
_WHOLE = r"^(0|-?[1-9][0-9]*)[.]0+$"
_EXPONENT = r"^-?[0-9]([.][0-9]+)?[eE][+]?[0-9]{1,2}$"


class LostDigitsError(ValueError):
    """Ids have been floats that were too large for them: different ids may have become one."""


def codes_and_ids(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], pa.Array]:
    """A column of ids, dictionary-encoded in one dictionary, as codes, and the id of each code.

    Returns:
        codes int32 [events], in order of first appearance; the ids, int64 or string.
    Raises:
        LostDigitsError: the ids are numbers of which digits are lost.
    """
    encoded = column.combine_chunks()
    encoded = encoded if isinstance(encoded, pa.DictionaryArray) else encoded.chunk(0)
    codes, ids = encoded.indices, integers_if_all(encoded.dictionary)
    once = ids.dictionary_encode()
    if len(once.dictionary) < len(ids):  # two spellings have become one id
        codes, ids = once.indices.take(codes), once.dictionary
    return codes.to_numpy(), ids


def integers_if_all(ids: pa.Array) -> pa.Array:
    """Text ids as int64 when every one is a whole number: 7, 7.0 and 7e+00 are, 007 is not.

    Programs write whole numbers with a point where a column has gaps, as pandas does, or as powers of ten.

    Raises:
        LostDigitsError: all are, and one that is spelled as a float is larger than floats can hold.
    """
    if not pa.types.is_string(ids.type):
        return ids
    try:
        integers = ids.cast(pa.int64())
    except pa.ArrowInvalid:
        return _whole_numbers(ids)
    return integers if integers.cast(ids.type).equals(ids) else ids


def without_point(ids: pa.Array) -> pa.Array:
    """Text ids, whole numbers among them spelled as integers."""
    return pc.replace_substring_regex(ids, _WHOLE, r"\1")


def _whole_numbers(ids: pa.Array) -> pa.Array:
    """As `integers_if_all`, where some are not spelled as integers."""
    plain = pc.match_substring_regex(ids, _PLAIN)
    pointed = pc.match_substring_regex(ids, _WHOLE)
    powers = pc.match_substring_regex(ids, _EXPONENT)
    if not pc.all(pc.or_(pc.or_(plain, pointed), powers)).as_py():
        return ids
    floats = ids.filter(powers).cast(pa.float64())
    if not pc.all(pc.equal(pc.floor(floats), floats), min_count=0).as_py():
        return ids
    if len(floats) and pc.max(pc.abs(floats)).as_py() > LARGEST_EXACT[64]:
        raise LostDigitsError(
            f"'{ids.filter(powers)[0]}' was a float, which loses the last digits of so large a number"
        )
    spelled = without_point(ids)
    if len(floats):
        spelled = pc.replace_with_mask(spelled, powers, floats.cast(pa.int64()).cast(pa.string()))
    try:
        return spelled.cast(pa.int64())
    except pa.ArrowInvalid:
        return ids  # of more digits than int64 has
